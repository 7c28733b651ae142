/**
 * The web server: conversations as HTTP requests, and who may hold them.
 *
 *     POST <path of a repository>/sync    an exchange: content type application/x-weft-sync both ways, http-exchange.ts
 *     GET  /healthz                       200 {"ok":true}, or 503 while it ends; for everybody
 *
 * Everything else is an error as http-error.ts has it. In this order a request is refused: by 429 where it comes too often
 * from one address; 401 without a token that is known, or, for reading only, 403 with one that came over an open line; 429
 * where one token comes too often; 404 without such a repository; 413 and 503 by the limits. So whoever has no token learns
 * nothing, not even which repositories there are.
 * @module
 */
import { createServer as createHttp, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createHttps } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { milliseconds } from '../base/clock.js'
import { CodedError } from '../base/error.js'
import type { Permission } from '../sync/answer.js'
import { SYNC_TYPE } from '../sync/peer-http.js'
import { type Access, formatAccess } from './access-log.js'
import type { Conversation } from './conversation.js'
import { sendError, sendJson, toldError } from './http-error.js'
import { type ExchangeLimits, type HttpExchange, httpExchange, tooLarge } from './http-exchange.js'
import type { OpenRepositories } from './open-repositories.js'
import { GoneError } from './patience.js'
import { addressName, isLoopback, RateLimit } from './rate-limit.js'
import { repositoryAt, type ServedRoot } from './served-root.js'
import { findToken, type TokenInfo } from './tokens.js'

/** What a web server lets through. */
export interface HttpLimits extends ExchangeLimits {
  /** Connections at a time; more are closed as they come. */
  readonly connections: number
  /** Exchanges at a time; more are told to come again. */
  readonly exchanges: number
  /** Milliseconds for the head of a request, and for a TLS handshake. */
  readonly headMilliseconds: number
  /** Requests in a minute from one address, and with one token. */
  readonly requestsPerMinute: number
}

export const HTTP_LIMITS: HttpLimits = {
  bodyBytes: 4 * 1024 ** 3,
  bytesPerSecond: 1024,
  connections: 512,
  exchanges: 128,
  headMilliseconds: 10_000,
  milliseconds: 120_000,
  requestsPerMinute: 1200,
}

/** What to serve, to whom. */
export interface HttpOptions {
  readonly root: ServedRoot
  readonly repositories: OpenRepositories
  readonly converse: Conversation
  readonly host: string
  /** 0 for any that is free. */
  readonly port: number
  /** Certificate and key, PEM. */
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer } | undefined
  /** Reading needs no token. */
  readonly openRead: boolean
  /** Tokens may come over lines that others can listen to. */
  readonly insecure: boolean
  readonly limits: HttpLimits
  /** Takes a line for each request. */
  readonly log: (line: string) => void
}

/** A web server that runs. */
export interface RunningServer {
  readonly address: string
  readonly port: number
  /** `http://127.0.0.1:9338/` */
  readonly url: string
  /**
   * Takes no more requests, and gives those under way some time.
   *
   * @param grace - Milliseconds.
   */
  close(grace: number): Promise<void>
}

/** In the log, where nobody was there any more to be answered. */
const GONE = 499

/** How long the rest of a refused request is read, so that its sender gets to read why. */
const REST_TIME = 3000

/**
 * Begins to serve.
 *
 * @throws {CodedError} `ADDRESS_UNUSABLE`, `TLS_UNUSABLE`.
 */
export async function startHttp(options: HttpOptions): Promise<RunningServer> {
  const { host, port, tls } = options
  const handler = new Handler(options)
  const { headMilliseconds } = options.limits
  const settings = {
    connectionsCheckingInterval: Math.min(1000, headMilliseconds),
    headersTimeout: headMilliseconds,
    // A request may take as long as it moves: `Patience` sees to that.
    requestTimeout: 0,
  }
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => void handler.handle(request, response)
  let server: Server
  try {
    server =
      tls === undefined
        ? createHttp(settings, onRequest)
        : createHttps({ ...settings, ...tls, handshakeTimeout: headMilliseconds, minVersion: 'TLSv1.2' }, onRequest)
  } catch (cause) {
    throw new CodedError('TLS_UNUSABLE', `The certificate and the key cannot be used: ${(cause as Error).message}.`, {
      hint: 'Both have to be PEM, and belong together.',
      cause,
    })
  }
  server.maxConnections = options.limits.connections
  server.on('clientError', (_, socket) => badRequest(socket as Socket))
  await listen(server, host, port)
  const { address, port: found } = server.address() as AddressInfo
  return {
    address,
    port: found,
    url: `${tls === undefined ? 'http' : 'https'}://${address.includes(':') ? `[${address}]` : address}:${found}/`,
    close: (grace) => handler.close(server, grace),
  }
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host, port }, () => {
        server.off('error', reject)
        resolve()
      })
    })
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    const hint =
      code === 'EADDRINUSE' ? 'Another program has that port. Choose one with --http <host>:<port>.' : undefined
    throw new CodedError('ADDRESS_UNUSABLE', `Nothing can be served at ${host}:${port}: ${message}.`, { hint, cause })
  }
}

/** What is no HTTP at all. */
function badRequest(socket: Socket): void {
  if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
  else socket.destroy()
}

/** What is known of a request by the time it is over. */
interface Note {
  token: TokenInfo | undefined
  exchange: HttpExchange | undefined
}

class Handler {
  readonly #options: HttpOptions
  readonly #addresses: RateLimit
  readonly #tokens: RateLimit
  /** Requests that are being answered, each with the way to break it off. */
  readonly #active = new Map<Promise<void>, () => void>()
  #exchanges = 0
  #ending = false

  constructor(options: HttpOptions) {
    this.#options = options
    const { requestsPerMinute } = options.limits
    this.#addresses = new RateLimit(requestsPerMinute)
    this.#tokens = new RateLimit(requestsPerMinute)
  }

  /** Answers a request, whatever it is. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const work = this.#answer(request, response).finally(() => this.#active.delete(work))
    this.#active.set(work, () => request.socket.destroy())
    return work
  }

  async close(server: Server, grace: number): Promise<void> {
    this.#ending = true
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeIdleConnections()
    this.#options.repositories.wake()
    const stop = new AbortController()
    const late = sleep(grace, 'late', { signal: stop.signal }).catch(() => 'over')
    while (this.#active.size > 0 && (await Promise.race([late, ...this.#active.keys()])) !== 'late');
    stop.abort()
    const cut = Promise.all(this.#active.keys())
    for (const destroy of this.#active.values()) destroy()
    // Who does not hear that nobody listens any more will hear that the store is closed.
    await Promise.race([cut, sleep(REST_TIME, undefined, { ref: false })])
    server.closeAllConnections()
    await closed
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const begun = milliseconds()
    const note: Note = { token: undefined, exchange: undefined }
    // Both close when something goes wrong with them, which is seen where they are read and written.
    request.on('error', () => undefined)
    response.on('error', () => undefined)
    response.setHeader('cache-control', 'no-store')
    response.setHeader('x-content-type-options', 'nosniff')
    let [status, problem]: [number, string | undefined] = [200, undefined]
    try {
      await this.#serve(request, response, note)
      status = response.statusCode
    } catch (error) {
      const isGone = error instanceof GoneError
      const told = toldError(error)
      problem = isGone ? error.message : told.code === 'SERVER_FAILED' ? said(error) : told.code
      // What was begun and cannot be ended must not look as if it were whole.
      if (isGone || (response.headersSent && !response.writableEnded)) request.socket.destroy()
      status = isGone ? GONE : sendError(response, told)
    }
    await leave(request, response)
    const { exchange, token } = note
    const access: Access = {
      time: new Date(),
      address: addressOf(request),
      method: request.method ?? '',
      path: request.url ?? '',
      status,
      received: exchange?.received ?? 0,
      sent: exchange?.sent ?? 0,
      milliseconds: milliseconds() - begun,
      token: token?.name,
      error: problem,
    }
    this.#options.log(formatAccess(access))
  }

  async #serve(request: IncomingMessage, response: ServerResponse, note: Note): Promise<void> {
    const path = pathOf(request.url ?? '')
    if (path === '/healthz' && (request.method === 'GET' || request.method === 'HEAD')) {
      response.statusCode = this.#ending ? 503 : 200
      return sendJson(response, `{"ok":${!this.#ending}}\n`)
    }
    if (this.#ending) throw busy('The server is about to end.')
    allow(this.#addresses.take(addressName(addressOf(request)), milliseconds()))
    const { root, openRead } = this.#options
    const isSync = path.endsWith('/sync')
    const repository = isSync ? await repositoryAt(root, path.slice(0, -'/sync'.length)) : undefined
    note.token = await this.#tokenOf(request, repository)
    if (note.token === undefined && !openRead) throw tokenNeeded()
    if (note.token !== undefined) allow(this.#tokens.take(note.token.id, milliseconds()))
    if (repository === undefined) throw notFound(path)
    if (request.method !== 'POST') {
      throw new CodedError('METHOD_UNKNOWN', `An exchange is a POST, not a ${request.method}.`)
    }
    if (request.headers['content-type'] !== SYNC_TYPE) {
      throw new CodedError('TYPE_UNKNOWN', `The content type of an exchange is ${SYNC_TYPE}.`)
    }
    await this.#exchange(request, response, repository, note)
  }

  async #exchange(request: IncomingMessage, response: ServerResponse, repository: string, note: Note): Promise<void> {
    const { limits, repositories, converse } = this.#options
    if (Number(request.headers['content-length'] ?? 0) > limits.bodyBytes) throw tooLarge(limits.bodyBytes)
    if (this.#exchanges >= limits.exchanges) throw busy('The server is busy with others.')
    const exchange = httpExchange(request, response, limits)
    note.exchange = exchange
    const permission: Permission = { read: true, write: note.token?.access === 'write' }
    this.#exchanges++
    try {
      await repositories.use(repository, (served) => converse(served, exchange, permission))
      if (!response.writableEnded) await exchange.end()
    } finally {
      this.#exchanges--
    }
  }

  /**
   * Whose token the request has: one for all that is served, or for the one repository.
   *
   * @throws {CodedError} `TOKEN_REFUSED` for any other, `TOKEN_EXPOSED` for one that others may have read on its way.
   */
  async #tokenOf(request: IncomingMessage, repository: string | undefined): Promise<TokenInfo | undefined> {
    const { authorization } = request.headers
    if (authorization === undefined) return undefined
    const { root, tls, insecure } = this.#options
    const [, given] = /^Bearer +(\S+)$/i.exec(authorization) ?? []
    const token =
      given === undefined
        ? undefined
        : ((await findToken(root.path, given)) ??
          (repository === undefined || repository === root.path ? undefined : await findToken(repository, given)))
    if (token === undefined) {
      throw new CodedError('TOKEN_REFUSED', 'There is no such token here.', {
        hint: 'It may have been removed. `weft serve token add` makes another one.',
      })
    }
    if (tls === undefined && !insecure && !isLoopback(request.socket.remoteAddress)) {
      throw new CodedError(
        'TOKEN_EXPOSED',
        'This token came over a line that others can read, and is refused for it.',
        {
          hint: 'Remove it, make a new one, and use https: the server needs --tls-cert and --tls-key.',
        },
      )
    }
    return token
  }
}

/** The path of a request, without what is behind a `?`. */
function pathOf(url: string): string {
  return url.replace(/[?#].*$/s, '')
}

function addressOf(request: IncomingMessage): string {
  return request.socket.remoteAddress ?? 'unknown'
}

/** @throws {CodedError} `TOO_MANY_REQUESTS` where there is something to wait for. */
function allow(wait: number): void {
  if (wait === 0) return
  const seconds = Math.ceil(wait / 1000)
  throw new CodedError('TOO_MANY_REQUESTS', `Too many requests: come again in ${seconds} s.`, { data: { seconds } })
}

function busy(message: string): CodedError {
  return new CodedError('SERVER_BUSY', message, { hint: 'Try again in a while.' })
}

function tokenNeeded(): CodedError {
  return new CodedError('TOKEN_NEEDED', 'This server lets nobody in without a token.', {
    hint: 'Whoever runs it makes one with `weft serve token add`.',
  })
}

function notFound(path: string): CodedError {
  return new CodedError('REPO_NOT_FOUND', `There is no repository at ${path.replace(/\/sync$/, '') || '/'} here.`, {
    hint: 'The path of the address is the path of the repository below the folder that is served.',
  })
}

function said(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}

/**
 * Settles when the answer has gone out. What is left of the request is read for a while before, and thrown away: closing the
 * connection at once could take the answer from who is still sending.
 */
async function leave(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (!request.complete && !request.destroyed) {
    const stop = new AbortController()
    const rest = new Promise<void>((resolve) => void request.once('end', resolve).once('close', resolve))
    request.resume()
    await Promise.race([rest, sleep(REST_TIME, undefined, { signal: stop.signal }).catch(() => undefined)])
    stop.abort()
  }
  if (!response.writableFinished && !response.destroyed) {
    await new Promise<void>((resolve) => void response.once('finish', resolve).once('close', resolve).end())
  }
  if (!request.complete) request.destroy()
}
