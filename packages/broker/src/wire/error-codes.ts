/** Error codes of the Kafka protocol (protocol guide, "Error Codes") that this broker answers, by itself or as an injected fault. */
export const errorCodes = {
  unknownServerError: -1,
  none: 0,
  offsetOutOfRange: 1,
  corruptMessage: 2,
  unknownTopicOrPartition: 3,
  invalidFetchSize: 4,
  leaderNotAvailable: 5,
  notLeaderOrFollower: 6,
  requestTimedOut: 7,
  messageTooLarge: 10,
  offsetMetadataTooLarge: 12,
  coordinatorLoadInProgress: 14,
  coordinatorNotAvailable: 15,
  notCoordinator: 16,
  invalidTopic: 17,
  notEnoughReplicas: 19,
  invalidRequiredAcks: 21,
  illegalGeneration: 22,
  inconsistentGroupProtocol: 23,
  invalidGroupId: 24,
  unknownMemberId: 25,
  invalidSessionTimeout: 26,
  rebalanceInProgress: 27,
  unsupportedSaslMechanism: 33,
  illegalSaslState: 34,
  unsupportedVersion: 35,
  topicAlreadyExists: 36,
  invalidPartitions: 37,
  invalidReplicationFactor: 38,
  invalidReplicaAssignment: 39,
  invalidConfig: 40,
  invalidRequest: 42,
  unsupportedForMessageFormat: 43,
  policyViolation: 44,
  outOfOrderSequenceNumber: 45,
  duplicateSequenceNumber: 46,
  invalidProducerEpoch: 47,
  invalidTxnState: 48,
  invalidProducerIdMapping: 49,
  invalidTransactionTimeout: 50,
  concurrentTransactions: 51,
  operationNotAttempted: 55,
  kafkaStorageError: 56,
  saslAuthenticationFailed: 58,
  unknownProducerId: 59,
  nonEmptyGroup: 68,
  groupIdNotFound: 69,
  fetchSessionIdNotFound: 70,
  invalidFetchSessionEpoch: 71,
  fencedLeaderEpoch: 74,
  unknownLeaderEpoch: 75,
  unsupportedCompressionType: 76,
  memberIdRequired: 79,
  groupMaxSizeReached: 81,
  fencedInstanceId: 82,
  groupSubscribedToTopic: 86,
  invalidRecord: 87,
  unstableOffsetCommit: 88,
  producerFenced: 90,
  unknownTopicId: 100,
  transactionalIdNotFound: 105,
} as const;

export type ErrorName = keyof typeof errorCodes;

const namesByCode = new Map<number, string>(Object.entries(errorCodes).map(([name, code]) => [code, name]));

/** The name of an error code for metrics and log lines. */
export function errorName(code: number): string {
  return namesByCode.get(code) ?? `error_${code}`;
}

/**
 * Kafka's own answer to one part of a request, thrown inside a handler and turned into its error code at the place
 * that knows the part. Not a defect and not logged.
 */
export class ProtocolError extends Error {
  readonly errorCode: number;

  constructor(name: ErrorName, message?: string) {
    super(message ?? name);
    this.name = 'ProtocolError';
    this.errorCode = errorCodes[name];
  }

  static ofCode(errorCode: number): ProtocolError {
    return new ProtocolError((namesByCode.get(errorCode) ?? 'unknownServerError') as ErrorName);
  }
}

/** Some records are why their batch was refused: clients fail these and may send the others again (KIP-467). */
export class InvalidRecordsError extends ProtocolError {
  /** Places of the records in their batch. */
  readonly indexes: readonly number[];

  constructor(indexes: readonly number[], message: string) {
    super('invalidRecord', message);
    this.indexes = indexes;
  }
}
