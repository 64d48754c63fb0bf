import {
  type EncodedEvent,
  type EventGenerator,
  type EventSender,
  encode,
} from '@tidemark/connectors/synthetic';
import type { Clock } from '@tidemark/kernel';
import type { FastifyInstance } from 'fastify';
import type { Background, BackgroundOptions } from './background.ts';

export interface RouteParts {
  readonly background: Background;
  readonly generator: EventGenerator;
  readonly sender: EventSender;
  readonly defaults: BackgroundOptions;
  readonly clock: Clock;
}

const percentage = { type: 'number', minimum: 0, maximum: 100 } as const;

const backgroundBody = {
  type: ['object', 'null'],
  additionalProperties: false,
  properties: {
    ratePerSec: { type: 'number', exclusiveMinimum: 0, maximum: 1_000_000 },
    durationMs: { type: 'number', minimum: 0 },
    keys: { type: 'integer', minimum: 1, maximum: 10_000_000 },
    seed: { type: 'integer', minimum: 0, maximum: 4_294_967_295 },
    hotKeyPct: percentage,
    poisonPct: percentage,
    duplicatePct: percentage,
  },
} as const;

const eventBody = {
  type: ['object', 'null'],
  additionalProperties: false,
  properties: {
    key: { type: 'string', minLength: 1, maxLength: 255 },
    // Not limited to 1–5: sending an event that breaks the rule is what this is for.
    rating: { type: 'integer' },
    text: { type: 'string', maxLength: 10_000_000 },
  },
} as const;

const batchQuery = {
  type: 'object',
  properties: { count: { type: 'integer', minimum: 1, maximum: 100_000, default: 1000 } },
} as const;

/** Events of one request to the broker. */
const sendMax = 1000;

/** The HTTP interface of the producer. */
export function addRoutes(server: FastifyInstance, parts: RouteParts): void {
  const { background, generator, sender, defaults } = parts;

  server.get('/status', async () => background.status());

  server.post<{ Body: Partial<BackgroundOptions> | null }>(
    '/start-background',
    { schema: { body: backgroundBody } },
    async (request, reply) => {
      const started = background.start({ ...defaults, ...request.body });
      return reply.code(started ? 202 : 200).send({ started, ...background.status() });
    },
  );

  server.post('/stop-background', async () => {
    await background.stop();
    return background.status();
  });

  server.post<{ Body: { key?: string; rating?: number; text?: string } | null }>(
    '/events',
    { schema: { body: eventBody } },
    async (request, reply) => {
      const event = generator.event(request.body ?? {});
      await sender.send([encode(event)]);
      return reply.code(201).send(event);
    },
  );

  server.post<{ Querystring: { count: number } }>(
    '/events/batch',
    { schema: { querystring: batchQuery } },
    async (request, reply) => reply.code(201).send(await sendBatch(parts, request.query.count)),
  );
}

async function sendBatch({ generator, sender, clock }: RouteParts, count: number) {
  const startedMs = clock.monotonic();
  for (let sent = 0; sent < count; sent += sendMax) {
    const events: EncodedEvent[] = Array.from({ length: Math.min(sendMax, count - sent) }, () =>
      generator.next(),
    );
    await sender.send(events);
  }
  return { produced: count, durationMs: Math.round(clock.monotonic() - startedMs) };
}
