import assert from 'node:assert/strict';
import { type Static, type TSchema } from 'typebox';
import { Value } from 'typebox/value';

/** Fails unless the value has the shape that the contract promises. */
export function assertShape<T extends TSchema>(schema: T, value: unknown): asserts value is Static<T> {
  const errors = [...Value.Errors(schema, value)].map(error => `${error.instancePath} ${error.message}`);
  assert.deepEqual(errors, []);
}
