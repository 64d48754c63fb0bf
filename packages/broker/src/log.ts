/** Where the broker says what an operator should know. pino has this shape. */
export interface BrokerLog {
  info(facts: Record<string, unknown>, message: string): void;
  warn(facts: Record<string, unknown>, message: string): void;
  error(facts: Record<string, unknown>, message: string): void;
}

export const silentLog: BrokerLog = {
  info() {},
  warn() {},
  error() {},
};
