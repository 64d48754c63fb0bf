import type { Socket } from 'node:net';
import type { ErrorBody } from '@tidemark/contracts';
import type { Logger } from '@tidemark/observability';
import { describeError } from '@tidemark/kernel';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Api } from './api.ts';
import { ApiError, notFound } from './api-error.ts';
import { type ErrorAnswer, errorAnswer } from './error-answer.ts';
import { methodsByPath } from './path-methods.ts';

/** Gives every failed request the same shape of answer, including those that no route takes. */
export function answerErrors(api: Api, logger: Logger): void {
  const methodsOf = methodsByPath(api);
  api.setErrorHandler((error, request, reply) => {
    const answer = errorAnswer(error);
    if (answer.statusCode >= 500) logFailure(logger, request, error, answer.defect);
    return send(reply, answer);
  });
  api.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0] ?? '';
    const methods = methodsOf(path);
    if (methods.length === 0) throw notFound(`route ${request.method} ${path}`);
    throw methodNotAllowed(reply, request.method, methods);
  });
}

/** Answers an error that came up before there was a route, such as a path that cannot be decoded. */
export function answerWith(reply: FastifyReply, error: unknown): void {
  void send(reply, errorAnswer(error));
}

function send(reply: FastifyReply, { statusCode, headers, body }: ErrorAnswer): FastifyReply {
  return reply.code(statusCode).headers(headers).send(body);
}

/** A failure that is ours gets its stack; one of the database or the broker gets a line, with the cause that clients do not see. */
function logFailure(logger: Logger, request: FastifyRequest, error: unknown, defect: boolean): void {
  const facts = { route: request.routeOptions.url, traceId: request.trace.traceId };
  if (defect) logger.error({ ...facts, err: error }, 'a request failed');
  else logger.warn({ ...facts, reason: describeError(error) }, 'a request could not be served');
}

/** RFC 9110 §15.5.6: a 405 names the methods that would do. */
function methodNotAllowed(reply: FastifyReply, method: string, methods: readonly string[]): ApiError {
  reply.header('allow', methods.join(', '));
  return new ApiError(405, 'METHOD_NOT_ALLOWED', `${method} is not possible here`, {
    hint: `Use ${methods.join(' or ')}.`,
  });
}

/** Answers bytes that are not HTTP, for which there is no request to reply to. */
export function malformedRequest(socket: Socket): void {
  if (!socket.writable) return;
  const body: ErrorBody = { error: { code: 'BAD_REQUEST', message: 'the request is not valid HTTP' } };
  const text = JSON.stringify(body);
  socket.end(
    'HTTP/1.1 400 Bad Request\r\ncontent-type: application/json; charset=utf-8\r\nconnection: close\r\n' +
      `content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );
}
