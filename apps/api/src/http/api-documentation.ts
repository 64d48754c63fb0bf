import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { Api } from './api.ts';

/** Serves the OpenAPI document at `/api/docs/json`, built from the schemas that also validate, and a page to read it. */
export async function documentRoutes(api: Api): Promise<void> {
  await api.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Tidemark',
        version: '0.1.0',
        description:
          'Sign-in, users, reviews, and the changes that went through the pipelines. Errors always have the shape ' +
          'of ErrorBody.',
      },
      tags: [
        { name: 'sign-in', description: 'Sessions' },
        { name: 'users', description: 'Accounts and roles' },
        { name: 'reviews', description: 'Events that applications write' },
        { name: 'changes', description: 'The change store and its live feed' },
        { name: 'pipelines', description: 'Positions, lag and books' },
        { name: 'dead letters', description: 'Events that could not take effect' },
        { name: 'operation', description: 'Health and metrics' },
      ],
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: 'The token of a sign-in' },
          cookie: { type: 'apiKey', in: 'cookie', name: 'tidemark_session' },
          csrf: { type: 'apiKey', in: 'header', name: 'x-csrf-token' },
        },
      },
      security: [{ bearer: [] }, { cookie: [], csrf: [] }],
    },
    transform: ({ schema, url, route }) => ({
      url,
      schema: route.config?.access === 'public' ? { ...schema, security: [] } : schema,
    }),
  });
  await api.register(swaggerUi, {
    routePrefix: '/api/docs',
    staticCSP: true,
    uiConfig: { docExpansion: 'list', persistAuthorization: false },
  });
}
