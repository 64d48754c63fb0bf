import { defineConfig, setting } from '@tidemark/config';
import { changefeedId, ports, topics } from '@tidemark/contracts/names';

/** Environment of the capture service. */
export const captureConfig = defineConfig({
  LOG_LEVEL: setting.choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
    doc: 'Least level of log lines',
    default: 'info',
  }),
  DATABASE_URL: setting.url(['postgres', 'postgresql'], {
    doc: 'PostgreSQL database that is captured and that keeps the changefeeds',
    default: `postgres://tidemark:tidemark@127.0.0.1:${ports.postgres}/sre_app`,
    secret: true,
  }),
  CAPTURE_SECRET: setting.optionalText({
    doc: 'Seals the URIs of changefeeds in the database, which hold credentials; without it they are kept as they are',
    secret: true,
  }),
  KAFKA_BROKERS: setting.list({
    doc: 'Brokers of the changefeed that is created on the first start',
    default: [`127.0.0.1:${ports.broker}`],
  }),
  CAPTURE_ADDR: setting.listenAddress({
    doc: 'Where the OpenAPI, health and metrics are served',
    default: { host: '127.0.0.1', port: ports.capture },
  }),
  CAPTURE_DATA_DIR: setting.text({
    doc: 'Folder of this process for large transactions that have not ended; nothing in it outlives a session',
    default: '.tidemark/capture',
  }),
  CAPTURE_SOURCE_URL: setting.optionalUrl(['postgres', 'postgresql'], {
    doc: 'Another PostgreSQL database, which a changefeed over all its tables captures to the same topic',
    secret: true,
  }),
  CAPTURE_DEFAULT_CHANGEFEED: setting.flag({
    doc: `Create changefeed \`${changefeedId}\` (tables users and reviews to topic \`${topics.changes}\`) on the first start`,
    default: true,
  }),
});
