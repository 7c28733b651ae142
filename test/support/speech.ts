/**
 * The sync protocol, spoken by hand: frames as an honest side would write them, and as no honest side would.
 * @module
 */
import { Tips } from '../../src/history/published.js'
import { encodeRecord, type Letter } from '../../src/rdx/tlv.js'
import { zipUint } from '../../src/rdx/zip.js'
import type { Call, Peer } from '../../src/sync/exchange.js'
import { exchangePair } from '../../src/sync/memory.js'
import { BARE_HELLO, encodeDone, encodeHello, type Hello } from '../../src/sync/messages.js'

export function frame(type: Letter, body: Uint8Array = new Uint8Array(0)): Uint8Array {
  return encodeRecord(type, body)
}

export function hello(said: Partial<Hello>): Uint8Array {
  return frame('H', encodeHello({ ...BARE_HELLO, ...said }))
}

/** A batch of pages. */
export function batch(...pages: Uint8Array[]): Uint8Array {
  return Buffer.concat([...pages.map((page) => frame('P', page)), frame('B', zipUint(1))])
}

export function done(tips = new Tips()): Uint8Array {
  return frame('D', encodeDone({ tips, refused: [], waiting: 0 }))
}

/** A peer that says what it was told to say, whatever it hears. */
export function parrot(said: Iterable<Uint8Array> | AsyncIterable<Uint8Array>, isInteractive = true): Peer {
  return {
    url: 'parrot:',
    isInteractive,
    call: async (): Promise<Call> => {
      const [asking, answering] = exchangePair()
      const speaking = async (): Promise<void> => {
        for await (const piece of said) await answering.write(piece)
        await answering.end()
      }
      const listening = async (): Promise<void> => {
        for await (const _ of answering.read);
      }
      // Who listens to it may go away at any time.
      speaking().catch(() => undefined)
      listening().catch(() => undefined)
      return asking
    },
    [Symbol.asyncDispose]: async () => undefined,
  }
}
