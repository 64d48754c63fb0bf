import { type Config, defineConfig, mergeConfig, setting } from '@tidemark/config';
import { trafficSettings } from '@tidemark/connectors/synthetic';
import { ports } from '@tidemark/contracts/names';

const serviceConfig = defineConfig({
  LOG_LEVEL: setting.text({ doc: 'Least severe level that is logged', default: 'info' }),
  PRODUCER_ADDR: setting.listenAddress({
    doc: 'Address of the HTTP interface',
    default: { host: '127.0.0.1', port: ports.producer },
  }),
});

/** Everything that the producer can be told. */
export const producerConfig = mergeConfig(serviceConfig, trafficSettings);

export type ProducerConfig = Config<typeof producerConfig>;
