import { ErrorBody } from '@tidemark/contracts';
import { type TSchema, Type } from 'typebox';

/** Declares what a route answers: its own schemas, and the one shape that every error has. */
export function answers<const T extends Record<number, TSchema>>(schemas: T) {
  return { ...schemas, '4xx': ErrorBody, '5xx': ErrorBody };
}

/** Query parameters of a list. */
export const PageQuery = Type.Object({
  cursor: Type.Optional(Type.String({ maxLength: 400, description: 'nextCursor of the page before' })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
});

export const pageLimitDefault = 50;
