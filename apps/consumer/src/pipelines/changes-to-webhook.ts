import {
  addressedTo,
  type ChangeEvent,
  decodeChange,
  positionedSink,
  probe,
  webhookProbe,
  webhookSink,
} from '@tidemark/connectors';
import { furtherPipelines } from '@tidemark/contracts/names';
import { TidemarkError } from '@tidemark/kernel';
import type { HostedPipeline, PipelineHost } from '../host.ts';

/**
 * Every change to a webhook, signed, when WEBHOOK_URL says where that is. Its receiver builds on the order of each row's
 * changes, so what follows a dead letter of a row is held back unless PARK_KEYS says otherwise.
 */
export function changesToWebhook(host: PipelineHost): HostedPipeline | undefined {
  const { WEBHOOK_URL: url, WEBHOOK_SECRET: secret, CDC_GROUP_ID, CDC_TOPIC } = host.config;
  if (url === undefined) return undefined;
  if (secret === undefined) {
    throw new TidemarkError('CONFIG_INVALID', 'WEBHOOK_URL is set and WEBHOOK_SECRET is not', {
      hint: 'Set it to what the receiver verifies signatures with.',
    });
  }
  const { clock, pool } = host;
  const name = furtherPipelines.changesToWebhook;
  const isReceiverWell = webhookProbe({ url, secret, clock });
  return host.host({
    name,
    group: `${CDC_GROUP_ID}-webhook`,
    topic: CDC_TOPIC,
    sinkName: 'webhook',
    inDatabase: true,
    decode: addressedTo(name, decodeChange),
    sink: positionedSink(
      name,
      pool,
      webhookSink<ChangeEvent>({ url, secret, clock, idOf: ({ event }) => event.changeId }),
    ),
    probe: async signal => {
      await probe(pool);
      await isReceiverWell(signal);
    },
  });
}
