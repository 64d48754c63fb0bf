import type { Settings } from './settings.ts';
import { generatedMark } from './yaml.ts';

/** Fields of a log line that become labels or keywords: few values each. The rest stays in the line. */
export const logLabels = ['service', 'level'] as const;

/** Grafana Alloy: the files of the stack, line by line, to Loki. */
export function alloyConfig({ dataFolder, lokiUrl }: Settings): string {
  return `// ${generatedMark}
// alloy run observability/logs/alloy.river

local.file_match "tidemark" {
  path_targets = [{"__path__" = "${dataFolder}/logs/*.log", "job" = "tidemark"}]
}

loki.source.file "tidemark" {
  targets    = local.file_match.tidemark.targets
  forward_to = [loki.process.tidemark.receiver]
}

loki.process "tidemark" {
  forward_to = [loki.write.loki.receiver]

  // PostgreSQL writes plain lines; they pass as they are.
  stage.json {
    expressions    = { ${logLabels.join(' = "", ')} = "", timestamp = "", trace_id = "" }
    drop_malformed = false
  }

  stage.timestamp {
    source            = "timestamp"
    format            = "RFC3339Nano"
    action_on_failure = "fudge"
  }

  // A label for each of a handful of values. A label for each trace would make a stream for each trace.
  stage.labels {
    values = { ${logLabels.map(label => `${label} = ""`).join(', ')} }
  }

  stage.structured_metadata {
    values = { trace_id = "" }
  }
}

loki.write "loki" {
  endpoint {
    url = "${lokiUrl}/loki/api/v1/push"
  }
}
`;
}

/** Vector: the same files to a data stream of Elasticsearch. */
export function vectorConfig({ dataFolder, elasticsearchUrl }: Settings): unknown {
  return {
    data_dir: '/var/lib/vector',
    sources: {
      tidemark: { type: 'file', include: [`${dataFolder}/logs/*.log`], read_from: 'beginning' },
    },
    transforms: {
      parsed: {
        type: 'remap',
        inputs: ['tidemark'],
        source: [
          '# A line that is no JSON object, as PostgreSQL writes them, is kept as the message.',
          'line = string!(.message)',
          'fields = parse_json(line) ?? null',
          'file = string!(.file)',
          '. = if is_object(fields) { object!(fields) } else { {"message": line} }',
          'if !exists(.service) { .service = replace(replace(file, r\'^.*/\', ""), ".log", "") }',
          '."@timestamp" = .timestamp || now()',
          'del(.timestamp)',
        ].join('\n'),
      },
    },
    sinks: {
      elasticsearch: {
        type: 'elasticsearch',
        inputs: ['parsed'],
        endpoints: [elasticsearchUrl],
        mode: 'data_stream',
        data_stream: { type: 'logs', dataset: 'tidemark', namespace: 'default', auto_routing: false },
        // Lines that cannot be sent wait on disk, and a full disk stops the reading, not the stack.
        buffer: { type: 'disk', max_size: 268_435_488, when_full: 'block' },
      },
    },
  };
}
