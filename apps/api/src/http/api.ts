import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { Principal } from '../auth/principal.ts';
import type { Access } from '../auth/access.ts';
import type { TraceContext } from './trace-context.ts';

/** The server as routes see it: bodies and answers have the types of their schemas. */
export type Api = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

declare module 'fastify' {
  interface FastifyRequest {
    /** Where this request stands in its trace. */
    trace: TraceContext;
    /** Who asks; null on public routes. */
    principal: Principal | null;
  }
  interface FastifyContextConfig {
    /** Who may use the route; every signed-in user unless given. */
    access?: Access;
    /** Streams last for hours and would spoil the histogram of durations. */
    unmeasured?: boolean;
  }
}
