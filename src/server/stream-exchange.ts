/**
 * An exchange over a pair of streams: a pipe to another program, or a local socket.
 * @module
 */
import type { Readable, Writable } from 'node:stream'
import type { Exchange } from '../sync/exchange.js'
import { GoneError } from './patience.js'

export function streamExchange(input: Readable, output: Writable): Exchange {
  return {
    read: input.iterator({ destroyOnReturn: false }),
    write: (bytes) => written(output, bytes),
    end: () => new Promise<void>((resolve) => void output.once('close', resolve).end(resolve)),
  }
}

/**
 * Writes, and waits until there is room for more.
 *
 * @throws {GoneError} where nobody reads any more.
 */
export async function written(output: Writable, bytes: Uint8Array): Promise<void> {
  if (output.destroyed) throw new GoneError('the other side has gone')
  if (output.write(bytes)) return
  await new Promise<void>((resolve, reject) => {
    const goOn = (): void => {
      output.off('close', stop)
      resolve()
    }
    const stop = (): void => {
      output.off('drain', goOn)
      reject(new GoneError('the other side has gone'))
    }
    output.once('drain', goOn).once('close', stop)
  })
}
