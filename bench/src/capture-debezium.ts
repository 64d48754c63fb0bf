import type { TestPostgres } from '@tidemark/testkit';
import { connector, type Started, startConnect } from './connect.ts';
import { TopicEnds } from './topic-ends.ts';

const name = 'debezium';
const topic = 'debezium.public.bench';

/** Debezium's connector for PostgreSQL on Kafka Connect, over the same table to the same broker. */
export class Debezium {
  readonly #connect: Started;
  readonly #ends: TopicEnds;
  #known = 0;

  private constructor(connect: Started, ends: TopicEnds) {
    this.#connect = connect;
    this.#ends = ends;
  }

  static async start(
    postgres: TestPostgres,
    { jars, kafka }: { readonly jars: string; readonly kafka: Started },
  ): Promise<Debezium> {
    const ends = new TopicEnds(kafka.address);
    await ends.open();
    await ends.create(topic, 3);
    const connect = await startConnect(jars, kafka.address);
    const url = new URL(postgres.url);
    await connector(connect, name, {
      'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
      'plugin.name': 'pgoutput',
      'database.hostname': url.hostname,
      'database.port': url.port,
      'database.user': url.username,
      'database.password': url.password,
      'database.dbname': url.pathname.slice(1),
      'topic.prefix': 'debezium',
      'table.include.list': 'public.bench',
      'publication.autocreate.mode': 'filtered',
      'snapshot.mode': 'no_data',
      // Larger than the defaults of 2,048 and 8,192, which is what its documentation advises for throughput.
      'max.batch.size': '8192',
      'max.queue.size': '32768',
    });
    return new Debezium(connect, ends);
  }

  async pause(): Promise<void> {
    await connector(this.#connect, name, 'stop');
    this.#known = await this.#ends.count(topic);
  }

  async drain(rows: number): Promise<number> {
    const rate = this.#ends.rate(topic, this.#known, rows);
    await connector(this.#connect, name, 'resume');
    return rate;
  }

  async stop(): Promise<void> {
    await this.#ends.close();
    await this.#connect.stop();
  }
}
