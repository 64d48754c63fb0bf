/** What each setting is about, in a sentence, for tools that show it. The settings themselves are in topic-config.ts. */
const documentation: Readonly<Record<string, string>> = {
  'cleanup.policy': 'What becomes of old records: delete them, keep the last of each key (compact), or both.',
  'compression.type': 'Codec of the stored records. This broker keeps what the producer chose.',
  'delete.retention.ms': 'How long a tombstone stays in a compacted topic, so that readers see it.',
  'file.delete.delay.ms': 'How long a deleted segment stays on disk. This broker removes it at once.',
  'flush.messages': 'Sync after this many records. This broker syncs by its own policy.',
  'flush.ms': 'Sync after this long. This broker syncs by its own policy.',
  'follower.replication.throttled.replicas':
    'Replicas whose fetching is slowed. There are none on a single node.',
  'index.interval.bytes': 'Bytes of log between two entries of the offset index.',
  'leader.replication.throttled.replicas':
    'Replicas whose sending is slowed. There are none on a single node.',
  'local.retention.bytes': 'Bytes kept on the node when older records are kept elsewhere.',
  'local.retention.ms': 'Time kept on the node when older records are kept elsewhere.',
  'max.compaction.lag.ms': 'The longest time that a record may stay uncompacted.',
  'max.message.bytes': 'The largest record batch that is accepted.',
  'message.timestamp.after.max.ms': 'How far ahead of the broker the time of a record may be.',
  'message.timestamp.before.max.ms': 'How far behind the broker the time of a record may be.',
  'message.timestamp.type': 'Whose time a record carries: that of its producer, or that of the append.',
  'min.cleanable.dirty.ratio': 'Share of the log that must be uncompacted before it is compacted.',
  'min.compaction.lag.ms': 'How long a record surely stays uncompacted.',
  'min.insync.replicas':
    'Replicas that must have a record before acks=all is answered. On a single node it is one.',
  preallocate: 'Take the space of a new segment at once.',
  'remote.storage.enable': 'Keep older records elsewhere. This broker cannot.',
  'retention.bytes':
    'Largest size of a partition before its oldest segments are deleted; -1 is without limit.',
  'retention.ms': 'How long records are kept before their segment is deleted; -1 is for ever.',
  'segment.bytes': 'Size at which a new segment is begun.',
  'segment.index.bytes': 'Size of the index files.',
  'segment.jitter.ms': 'Spreads the time at which segments are begun.',
  'segment.ms': 'Age at which a new segment is begun.',
  'unclean.leader.election.enable': 'Let a replica lead that lacks records. There is only one here.',
};

/** Null for what this broker has no words for: settings of its own that are named as in Apache Kafka. */
export function documentationOf(name: string): string | null {
  return documentation[name] ?? null;
}
