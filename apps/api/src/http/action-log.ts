import type { Logger } from '@tidemark/observability';
import type { FastifyRequest } from 'fastify';

/** What people do that is worth a line in the log. */
export type Action =
  | 'register'
  | 'sign_in'
  | 'sign_in_failed'
  | 'sign_in_refused'
  | 'sign_out'
  | 'user_create'
  | 'user_update'
  | 'user_delete'
  | 'review_create'
  | 'dead_letter_edit'
  | 'dead_letter_replay'
  | 'dead_letter_discard';

export interface ActionFacts {
  /** Who acted, where the request does not say so itself. */
  readonly userId?: number;
  /** What it was done to, such as `user:7`. */
  readonly subject?: string;
  /** Names of what was changed; never values. */
  readonly fields?: readonly string[];
  /** Code of the error that the action ended with. */
  readonly reason?: string;
}

/** Writes one line per action: time, action, user, address, subject, trace. Secrets have no field to get in by. */
export type ActionLog = (request: FastifyRequest, action: Action, facts?: ActionFacts) => void;

export function createActionLog(logger: Logger): ActionLog {
  return (request, action, facts = {}) => {
    logger.info({
      action,
      userId: facts.userId ?? request.principal?.user.id ?? null,
      address: request.ip,
      ...facts,
      traceId: request.trace.traceId,
    });
  };
}
