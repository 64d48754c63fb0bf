/** What access control can allow, by its number in the protocol (AclOperation). */
const operations = {
  read: 3,
  write: 4,
  create: 5,
  delete: 6,
  alter: 7,
  describe: 8,
  clusterAction: 9,
  describeConfigs: 10,
  alterConfigs: 11,
  idempotentWrite: 12,
} as const;

const all = (...names: readonly (keyof typeof operations)[]): number =>
  names.reduce((bits, name) => bits | (1 << operations[name]), 0);

/** What a client may do (KIP-430), one bit for each operation. There are no access control lists: everything there is. */
export const authorizedOperations = {
  topic: all('read', 'write', 'create', 'delete', 'alter', 'describe', 'describeConfigs', 'alterConfigs'),
  group: all('read', 'delete', 'describe'),
  cluster: all(
    'create',
    'alter',
    'describe',
    'clusterAction',
    'describeConfigs',
    'alterConfigs',
    'idempotentWrite',
  ),
} as const;

/** How a client that did not ask is answered. */
const NOT_ASKED = -2_147_483_648;

export function operationsIf(asked: boolean, resource: keyof typeof authorizedOperations): number {
  return asked ? authorizedOperations[resource] : NOT_ASKED;
}
