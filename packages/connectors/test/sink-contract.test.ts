import { PassThrough } from 'node:stream';
import { after, before, describe } from 'node:test';
import {
  changeIndexSink,
  changeStoreSink,
  createPool,
  logSink,
  type Pool,
  positionedSink,
  reviewsSink,
  webhookSink,
} from '@tidemark/connectors';
import { systemClock } from '@tidemark/kernel';
import { eventually, startPostgres, type TestPostgres } from '@tidemark/testkit';
import { type SinkTarget, sinkContract } from '@tidemark/testkit/sink-contract';
import { Client } from 'pg';
import { BulkStandIn } from './bulk-stand-in.ts';
import { HttpPeer } from './http-peer.ts';
import { review } from './reviews.ts';

const uuid = (id: number) => `00000000-0000-4000-8000-${String(id).padStart(12, '0')}`;

function change(id: number, refused = false) {
  return {
    changeId: `c:${id}`,
    database: 'sre_app',
    table: 'users',
    type: 'INSERT',
    key: 'k',
    commitTs: 464043256649875457n + BigInt(id),
    committedAtMs: 0,
    capturedAtMs: 0,
    old: null,
    data: refused ? { refuse: 'yes' } : { id: String(id) },
    sql: null,
    traceId: null,
  };
}

describe('sinks in PostgreSQL', () => {
  let postgres: TestPostgres;
  let pool: Pool;
  let blocker: Client;
  before(async () => {
    postgres = await startPostgres({ migrated: true });
    pool = createPool({ databaseUrl: postgres.url, applicationName: 'contract', connections: 2 });
  });
  after(async () => {
    await pool.end();
    await postgres.stop();
  });
  const reset = async () => {
    await postgres.query('TRUNCATE reviews, processed_events, pipeline_positions, change_events');
  };
  const outage = { begin: () => postgres.pause('immediate'), end: () => postgres.resume() };
  const hang = (table: string) => ({
    begin: async () => {
      blocker = new Client({ connectionString: postgres.url });
      await blocker.connect();
      await blocker.query(`BEGIN; LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
    },
    reached: async () => {
      await eventually('a delivery waits', async () => {
        const rows = await postgres.query(`SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'`);
        return rows.length > 0;
      });
    },
    end: () => blocker.end(),
  });

  describe('reviews', () => {
    sinkContract(() => ({
      create: () => reviewsSink('contract', pool),
      event: (id, refused = false) => ({
        ...review({ review_id: String(id), rating: refused ? 9 : 4 }),
        event_id: uuid(id),
      }),
      effects: async () =>
        (await postgres.query<{ review_id: string }>('SELECT review_id FROM reviews ORDER BY ctid')).map(
          row => Number(row.review_id),
        ),
      reset,
      outage,
      hang: hang('reviews'),
      idempotent: true,
    }));
  });

  describe('change store', () => {
    sinkContract(() => ({
      create: () => changeStoreSink('contract', pool),
      // A NUL cannot be part of jsonb.
      event: (id, refused = false) => (refused ? { ...change(id), data: { id: 'a\0b' } } : change(id)),
      effects: async () =>
        (await postgres.query<{ id: string }>('SELECT change_id AS id FROM change_events ORDER BY id')).map(
          row => Number(row.id.slice(2)),
        ),
      reset,
      outage,
      hang: hang('change_events'),
      idempotent: true,
    }));
  });

  describe('webhook with positions', () => {
    const webhook = webhookTarget();
    before(() => webhook.peer.start());
    after(() => webhook.peer.stop());
    sinkContract(() => ({
      ...webhook.target,
      create: () => positionedSink('contract', pool, webhook.target.create()),
      reset: async () => {
        await reset();
        await webhook.target.reset();
      },
    }));
  });
});

describe('webhook', () => {
  const { peer, target } = webhookTarget();
  before(() => peer.start());
  after(() => peer.stop());
  sinkContract(() => target);
});

describe('search index', () => {
  const index = new BulkStandIn();
  const peer = new HttpPeer(index.answer);
  before(() => peer.start());
  after(() => peer.stop());
  sinkContract(() => ({
    create: () => changeIndexSink({ url: peer.url, index: 'changes' }),
    event: change,
    effects: async () => index.written.map(id => Number(id.slice(2))),
    reset: async () => index.reset(),
    outage: peer.outage,
    hang: peer.hang,
    idempotent: true,
  }));
});

describe('log', () => {
  let output = new PassThrough();
  let text = '';
  sinkContract(() => ({
    create: () => logSink(output, systemClock),
    event: id => id,
    effects: async () =>
      text
        .split('\n')
        .filter(line => line !== '')
        .map(line => Number((JSON.parse(line) as { payload: { place: string } }).payload.place)),
    reset: async () => {
      text = '';
      output = new PassThrough();
      output.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
    },
    idempotent: false,
  }));
});

/** A receiver as the specification of signed webhooks wants it: acts once for each id, and refuses what it cannot read. */
function webhookTarget(): { peer: HttpPeer; target: SinkTarget<{ id: number; refused: boolean }> } {
  const acted = new Set<number>();
  const peer = new HttpPeer((request, _body, response) => {
    const [id, refused] = String(request.headers['webhook-id']).split(' ');
    if (refused !== undefined) response.writeHead(422).end('not for me');
    else {
      acted.add(Number(id));
      response.writeHead(204).end();
    }
  });
  const create = () =>
    webhookSink<{ id: number; refused: boolean }>({
      url: peer.url,
      secret: 'secret',
      idOf: ({ event }) => `${event.id}${event.refused ? ' refused' : ''}`,
      clock: systemClock,
    });
  return {
    peer,
    target: {
      create,
      event: (id, refused = false) => ({ id, refused }),
      effects: async () => [...acted],
      reset: async () => acted.clear(),
      outage: peer.outage,
      hang: peer.hang,
      idempotent: true,
    },
  };
}
