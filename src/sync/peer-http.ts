/**
 * A peer behind a web server: each exchange is one request, `POST <url>/sync`.
 *
 * Proxies may hold a request back until it is whole, so the answer is not waited for while something is still to be sent.
 * @module
 */
import type { ClientRequest, IncomingMessage } from 'node:http'
import { CodedError } from '../base/error.js'
import type { Call, Peer } from './exchange.js'
import { plain } from './said.js'

/** What an exchange over HTTP is said to be. */
export const SYNC_TYPE = 'application/x-weft-sync'

/** Bytes of an error's text that are read. */
const ERROR_BYTES = 64 << 10

/** Milliseconds without a byte in either direction after which a connection counts as dead. */
const SILENCE = 120_000

/** How to reach a web server. */
export interface HttpOptions {
  /** Bearer token. */
  readonly token?: string | undefined
  /** PEM of certificates that are trusted beside the system's. */
  readonly ca?: Uint8Array | undefined
}

export class HttpPeer implements Peer {
  readonly url: string
  readonly isInteractive = false
  readonly #url: URL
  readonly #options: HttpOptions

  /** @param url - `http:` or `https:`. A password in it is the token. */
  constructor(url: URL, options: HttpOptions = {}) {
    const plain = new URL(url)
    const token = options.token ?? (plain.password === '' ? undefined : decodeURIComponent(plain.password))
    plain.username = ''
    plain.password = ''
    this.url = plain.href
    plain.pathname = `${plain.pathname.replace(/\/+$/, '')}/sync`
    this.#url = plain
    this.#options = { ...options, token }
  }

  async call(): Promise<Call> {
    const isSecure = this.#url.protocol === 'https:'
    const { request: begin } = isSecure ? await import('node:https') : await import('node:http')
    const { token, ca } = this.#options
    const request = begin(this.#url, {
      method: 'POST',
      headers: {
        'content-type': SYNC_TYPE,
        accept: SYNC_TYPE,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      timeout: SILENCE,
      ...(ca === undefined ? {} : { ca: Buffer.from(ca) }),
    })
    const { url } = this
    const failed = new Promise<never>((_, reject) => {
      request.once('error', (error) => reject(unreachable(url, error)))
      request.once('timeout', () => request.destroy(new Error('nothing came for two minutes')))
    })
    failed.catch(() => undefined)
    const response = Promise.race([
      new Promise<IncomingMessage>((resolve) => request.once('response', resolve)),
      failed,
    ])
    response.catch(() => undefined)
    return {
      read: readResponse(url, response),
      write: (bytes) => Promise.race([written(request, bytes), failed, refused(url, response)]),
      end: () =>
        Promise.race([new Promise<void>((resolve) => void request.end(resolve)), failed, refused(url, response)]),
      close: () => void request.destroy(),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

function written(request: ClientRequest, bytes: Uint8Array): Promise<void> {
  if (request.write(bytes)) return Promise.resolve()
  return new Promise((resolve) => request.once('drain', resolve))
}

async function* readResponse(url: string, coming: Promise<IncomingMessage>): AsyncGenerator<Uint8Array> {
  const response = await coming
  if (response.statusCode !== 200) throw await refusal(url, response)
  try {
    for await (const piece of response) yield piece as Uint8Array
  } catch (error) {
    throw new CodedError('SYNC_CUT', `The connection to ${url} was cut.`, {
      hint: 'Run it once more: what came whole is kept.',
      cause: error,
    })
  }
}

/** Settles only where the server refuses: whoever is still writing has to stop then. */
async function refused(url: string, coming: Promise<IncomingMessage>): Promise<never> {
  const response = await coming
  if (response.statusCode !== 200) throw await refusal(url, response)
  return new Promise<never>(() => undefined)
}

/** The error in a response that is none to an exchange. */
function refusal(url: string, response: IncomingMessage): Promise<CodedError> {
  const known = refusals.get(response)
  if (known !== undefined) return known
  const made = readRefusal(url, response)
  refusals.set(response, made)
  return made
}

const refusals = new WeakMap<IncomingMessage, Promise<CodedError>>()

async function readRefusal(url: string, response: IncomingMessage): Promise<CodedError> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const piece of response as AsyncIterable<Uint8Array>) {
    length += piece.length
    if (length > ERROR_BYTES) break
    parts.push(piece)
  }
  const said = saidIn(Buffer.concat(parts).toString('utf8'))
  const status = response.statusCode ?? 0
  const data = { status, ...(said?.code === undefined ? {} : { code: said.code }) }
  const message = said?.message ?? `it answers with status ${status}`
  const details = { data, ...(said?.hint === undefined ? {} : { hint: said.hint }) }
  if (status === 401 || status === 403) {
    return new CodedError('SYNC_DENIED', `${url} does not let this in: ${message}`, {
      hint: 'Ask for a token there (`weft serve token add`), then `weft remote add --token <token>`.',
      ...details,
    })
  }
  if (status === 404) {
    return new CodedError('REMOTE_NOT_FOUND', `There is no weft repository at ${url}: ${message}`, details)
  }
  return new CodedError('REMOTE_FAILED', `${url} refuses: ${message}`, details)
}

function saidIn(text: string): { code?: string; message?: string; hint?: string } | undefined {
  try {
    const { error } = JSON.parse(text) as { error?: Record<string, unknown> }
    const field = (name: string) => (typeof error?.[name] === 'string' ? { [name]: plain(error[name]) } : {})
    return { ...field('code'), ...field('message'), ...field('hint') }
  } catch {
    return undefined
  }
}

function unreachable(url: string, cause: Error): CodedError {
  return new CodedError('REMOTE_UNREACHABLE', `${url} cannot be reached: ${cause.message || String(cause)}.`, {
    hint: 'Is the server running (`weft serve` there), and is the address right?',
    cause,
  })
}
