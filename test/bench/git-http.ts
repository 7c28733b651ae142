/**
 * git behind a web server, to measure weft's beside: `git http-backend`, started for each request as a web server would.
 *
 * `node --import tsx git-http.ts <directory>` prints the port; `GET /bytes` says how many bytes went in and out so far.
 * @module
 */
import { spawn } from 'node:child_process'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

const [root = '.'] = process.argv.slice(2)
let bytes = 0

const server = createServer((request, response) => {
  if (request.url === '/bytes') response.end(String(bytes))
  else backend(request, response)
})
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port))

/** Runs the CGI program: headers of its own first, then the body. */
function backend(request: IncomingMessage, response: ServerResponse): void {
  const { pathname, search } = new URL(request.url ?? '/', 'http://localhost')
  const { headers } = request
  const program = spawn('git', ['http-backend'], {
    env: {
      ...process.env,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_PROTOCOL: String(headers['git-protocol'] ?? ''),
      HTTP_CONTENT_ENCODING: headers['content-encoding'] ?? '',
      CONTENT_TYPE: headers['content-type'] ?? '',
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
      REQUEST_METHOD: request.method ?? 'GET',
      REMOTE_ADDR: '127.0.0.1',
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  request.on('data', (part: Buffer) => {
    bytes += part.length
  })
  request.pipe(program.stdin)
  let head: Buffer | undefined = Buffer.alloc(0)
  program.stdout.on('data', (part: Buffer) => {
    if (head === undefined) return send(part)
    head = Buffer.concat([head, part])
    const end = head.indexOf('\r\n\r\n')
    if (end < 0) return
    for (const line of head.toString('latin1', 0, end).split('\r\n')) {
      const [, name = '', value = ''] = /^([^:]+): (.*)$/.exec(line) ?? []
      if (name === 'Status') response.statusCode = Number.parseInt(value, 10)
      else response.setHeader(name, value)
    }
    const rest = head.subarray(end + 4)
    head = undefined
    if (rest.length > 0) send(rest)
  })
  program.on('close', () => response.end())
  const send = (part: Buffer): void => {
    bytes += part.length
    response.write(part)
  }
}
