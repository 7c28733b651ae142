/**
 * An exchange over one HTTP request: its body is what the client says, the body of the response is the answer.
 *
 * Both are streams, and neither waits for the other: the answer may begin before the request has ended. Nothing is read
 * that nobody asked for, and nothing written faster than the client takes it.
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { milliseconds } from '../base/clock.js'
import { CodedError } from '../base/error.js'
import type { Exchange } from '../sync/exchange.js'
import { SYNC_TYPE } from '../sync/peer-http.js'
import { GoneError, Patience, type PatienceOptions } from './patience.js'
import { written } from './stream-exchange.js'

/** Bounds of one exchange. */
export interface ExchangeLimits extends PatienceOptions {
  /** Most bytes of a request. */
  readonly bodyBytes: number
}

/** An exchange, and how much of it there was. */
export interface HttpExchange extends Exchange {
  readonly received: number
  readonly sent: number
}

/** The answer's head goes out with its first bytes. */
export function httpExchange(request: IncomingMessage, response: ServerResponse, limits: ExchangeLimits): HttpExchange {
  const [reading, writing] = [new Patience(limits), new Patience(limits)]
  let received = 0
  let sent = 0

  async function* read(): AsyncGenerator<Uint8Array, void, undefined> {
    const pieces = (request.iterator({ destroyOnReturn: false }) as AsyncIterableIterator<Buffer>)[
      Symbol.asyncIterator
    ]()
    for (;;) {
      const next = await reading.wait(pieces.next(), milliseconds).catch((cause: unknown) => {
        throw cause instanceof GoneError ? cause : new GoneError('the client has gone', { cause })
      })
      if (next.done === true) return
      const { buffer, byteOffset, length } = next.value
      received += length
      reading.moved(length)
      if (received > limits.bodyBytes) throw tooLarge(limits.bodyBytes)
      yield new Uint8Array(buffer, byteOffset, length)
    }
  }

  const begin = (): void => {
    if (response.headersSent) return
    response.writeHead(200, { 'content-type': SYNC_TYPE })
  }
  return {
    read: read(),
    async write(bytes) {
      if (response.destroyed) throw new GoneError('the client has gone')
      begin()
      sent += bytes.length
      writing.moved(bytes.length)
      await writing.wait(written(response, bytes), milliseconds)
    },
    async end() {
      if (response.destroyed) throw new GoneError('the client has gone')
      begin()
      await writing.wait(
        new Promise<void>((resolve) => void response.once('close', resolve).end(resolve)),
        milliseconds,
      )
    },
    get received() {
      return received
    },
    get sent() {
      return sent
    },
  }
}

/** The error for a request that is too long. */
export function tooLarge(limit: number): CodedError {
  return new CodedError('BODY_TOO_LARGE', `The request has more than ${limit} bytes.`, {
    hint: 'Send less at a time, or have whoever runs the server raise --max-body.',
  })
}
