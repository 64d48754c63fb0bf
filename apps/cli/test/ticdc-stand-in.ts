import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

/** A request as it came. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>> | undefined;
}

export interface TicdcStandIn {
  readonly url: string;
  readonly seen: readonly Seen[];
  stop(): Promise<void>;
}

/** A TSO beyond what a JavaScript number holds exactly. */
export const tso = '447203423563317249';

/** Answers in the shapes of the examples in the TiDB documentation, "TiCDC OpenAPI v2", and to nothing else. */
export async function startTicdcStandIn(): Promise<TicdcStandIn> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => void answer(request, response, seen));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    stop: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Fields that a request may have. */
const createFields = new Set(['changefeed_id', 'sink_uri', 'start_ts', 'target_ts', 'replica_config']);
const updateFields = new Set(['sink_uri', 'target_ts', 'replica_config']);

async function answer(request: IncomingMessage, response: ServerResponse, seen: Seen[]): Promise<void> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  const body = text === '' ? undefined : (JSON.parse(text) as Seen['body']);
  const { method = '', url = '' } = request;
  seen.push({ method, path: url, body });
  const send = (status: number, json: string) =>
    response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(json);
  const refuse = (code: string, message: string) =>
    send(400, `{"error_msg":"[CDC:${code}]${message}","error_code":"CDC:${code}"}`);
  const { pathname, search } = new URL(url, 'http://ticdc');
  const [, id, action] = /^\/api\/v2\/changefeeds(?:\/([^/]+))?(?:\/([^/]+))?$/.exec(pathname) ?? [];
  const unknown = (fields: ReadonlySet<string>) => Object.keys(body ?? {}).find(name => !fields.has(name));

  if (!pathname.startsWith('/api/v2/changefeeds')) return void send(404, '404 page not found');
  if (id !== undefined && id !== 'test')
    return void refuse('ErrChangeFeedNotExists', `changefeed not exists, ${id}`);
  switch (`${method} ${id === undefined ? '' : '/id'}${action === undefined ? '' : `/${action}`}`) {
    case 'GET ':
      if (search !== '' && !/^\?state=\w+$/.test(search)) return void refuse('ErrAPIInvalidParam', search);
      return void send(200, `{"total":1,"items":[${item}]}`);
    case 'POST ':
      if (unknown(createFields) !== undefined)
        return void refuse('ErrAPIInvalidParam', `${unknown(createFields)}`);
      return void send(200, info);
    case 'GET /id':
      return void send(200, info);
    case 'PUT /id':
      if (unknown(updateFields) !== undefined)
        return void refuse('ErrAPIInvalidParam', `${unknown(updateFields)}`);
      return void send(200, info);
    case 'POST /id/pause':
    case 'POST /id/resume':
    case 'DELETE /id':
      return void (search === '' ? send(200, '{}') : refuse('ErrAPIInvalidParam', search));
    case 'GET /id/status':
      return void send(200, status);
    default:
      return void send(404, '404 page not found');
  }
}

const item = `{
  "upstream_id": 7178706266519722477, "namespace": "default", "id": "test", "state": "normal",
  "checkpoint_tso": ${tso}, "checkpoint_time": "2024-02-06 14:41:05.733", "error": null }`;

const info = `{
  "upstream_id": 7178706266519722477, "namespace": "default", "id": "test",
  "sink_uri": "kafka://127.0.0.1:9092/test?protocol=canal-json", "create_time": "2024-02-06T14:40:05.733+08:00",
  "start_ts": ${tso}, "target_ts": 0, "admin_job_type": 0,
  "config": { "case_sensitive": false, "force_replicate": false, "filter": { "rules": ["*.*"], "event_filters": null },
    "mounter": { "worker_num": 16 }, "sink": { "protocol": "canal-json", "dispatchers": null } },
  "state": "normal", "error": null, "creator_version": "v7.5.0", "resolved_ts": ${tso}, "checkpoint_ts": ${tso},
  "checkpoint_time": "2024-02-06 14:41:05.733",
  "task_status": [{ "capture_id": "d8924259-f52f-4dfb-97a9-c48d26395945", "table_ids": [80] }] }`;

const status = `{
  "state": "warning", "resolved_ts": ${tso}, "checkpoint_ts": ${tso},
  "last_warning": { "time": "2024-02-06T14:41:05Z", "addr": "127.0.0.1:8300", "code": "CDC:ErrKafkaSendMessage",
    "message": "kafka: client has run out of available brokers" } }`;
