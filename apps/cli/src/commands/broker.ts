import type { Command } from '../command.ts';

/** Runs the broker alone. */
export const broker: Command = {
  name: 'broker',
  summary: 'run the Kafka-compatible broker alone',
  options: {
    host: { type: 'string', value: 'HOST', doc: 'address to listen on (default 127.0.0.1)' },
    port: { type: 'string', value: 'PORT', doc: 'port to listen on (default 9092; 0 picks a free one)' },
    data: { type: 'string', value: 'DIR', doc: 'folder of the logs (default .tidemark/broker)' },
    fsync: {
      type: 'string',
      value: 'POLICY',
      doc: 'os, interval (default) or group: what an acknowledgement survives',
    },
    'metrics-addr': {
      type: 'string',
      value: 'HOST:PORT',
      doc: 'where /metrics, /healthz and /readyz are (default 127.0.0.1:9644)',
    },
  },
  run: async (input, context) => (await import('../broker-service.ts')).runBroker(input, context),
};
