import type { Pipeline } from '@tidemark/contracts';
import { formatCompact, formatCount, groupDigits, unknownText } from '../../shared/format.ts';
import { Instant } from '../../shared/ui/instant.tsx';
import { ScrollRegion } from '../../shared/ui/scroll-region.tsx';

type Partition = Pipeline['partitions'][number];

const figures = [
  'Position',
  'End',
  'Lag',
  'Read',
  'Delivered',
  'Duplicate',
  'Filtered',
  'Dead-lettered',
  'Updated',
] as const;

/** Where a pipeline stands in each partition, with that partition's ledger. */
export function PartitionTable({ pipeline }: { readonly pipeline: Pipeline }) {
  if (pipeline.partitions.length === 0) {
    return <p className="partitions-none muted">No partition has been read yet.</p>;
  }
  return (
    <ScrollRegion label={`Partitions of ${pipeline.name}`}>
      <table className="table table-inner">
        <thead>
          <tr>
            <th scope="col">Partition</th>
            {figures.map(name => (
              <th key={name} scope="col" className="num">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {pipeline.partitions.map(partition => (
            <PartitionRow key={`${partition.topic}-${partition.partition}`} partition={partition} />
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  );
}

function PartitionRow({ partition }: { readonly partition: Partition }) {
  const { ledger } = partition;
  const end = partition.endOffset === null ? unknownText : groupDigits(partition.endOffset);
  return (
    <tr>
      <th scope="row" className="mono">
        {partition.topic}-{partition.partition}
      </th>
      <td className="num mono">{groupDigits(partition.position)}</td>
      <td className="num mono">{end}</td>
      <td className="num">{formatCount(partition.lag)}</td>
      <td className="num">{formatCompact(ledger.read)}</td>
      <td className="num">{formatCompact(ledger.delivered)}</td>
      <td className="num">{formatCompact(ledger.duplicate)}</td>
      <td className="num">{formatCompact(ledger.filtered)}</td>
      <td className="num">{formatCompact(ledger.deadLettered)}</td>
      <td className="num muted">
        <Instant at={partition.updatedAt} />
      </td>
    </tr>
  );
}
