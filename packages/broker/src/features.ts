import { apis } from './api/index.ts';
import { saslMechanisms } from './security/credentials.ts';
import { topicConfigKeys } from './topics/topic-config.ts';

/** What the broker can do, as Markdown, from the declarations that do it: the list cannot go stale. */
export function featureList(): string {
  return [
    '# What the embedded broker serves',
    'This page is generated from the code: `node packages/broker/test/features.test.ts --write`.',
    '## Requests',
    'Everything else is answered as Kafka answers what it does not know: the connection is closed, except for a newer ApiVersions.',
    table(
      ['Key', 'Request', 'Versions', 'Flexible since'],
      apis.map(api => [String(api.key), api.name, versionsOf(api), flexibleOf(api)]),
    ),
    '## Topic settings',
    'A setting without effect is accepted, kept and shown, so that tools work, but changes nothing on a single node.',
    table(
      ['Setting', 'Default', 'Has an effect'],
      Object.entries(topicConfigKeys).map(([name, key]) => [
        `\`${name}\``,
        key.default === '' ? '' : `\`${key.default}\``,
        key.effective ? 'yes' : 'no',
      ]),
    ),
    '## Security',
    `TLS; SASL with ${saslMechanisms.join(', ')}. There are no ACLs: who is in may do everything.`,
    '',
  ].join('\n\n');
}

function versionsOf({ versions: [first, last], servedSince }: (typeof apis)[number]): string {
  const advertised = first === last ? String(first) : `${first}–${last}`;
  return servedSince > first ? `${advertised} (served from ${servedSince})` : advertised;
}

function flexibleOf({ flexibleSince }: (typeof apis)[number]): string {
  return Number.isFinite(flexibleSince) ? String(flexibleSince) : 'never';
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
