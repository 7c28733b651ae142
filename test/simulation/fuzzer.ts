/**
 * Spoilt conversations: what two replicas really said to each other, changed by chance, said to one of them again.
 *
 * Whatever it is, it must end soon, in a coded error or well; and what is in the store afterwards must verify.
 * @module
 */
import assert from 'node:assert/strict'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { CodedError } from '../../src/base/error.js'
import { verifyEntries } from '../../src/history/verify.js'
import type { Entry } from '../../src/lseq/batch.js'
import { decodePage, encodePageSync } from '../../src/lseq/page.js'
import { encodeRecord, type Letter } from '../../src/rdx/tlv.js'
import { ask } from '../../src/sync/ask.js'
import { clone } from '../../src/sync/clone.js'
import { decodeDone, decodeError, decodeHello, decodeStored, encodeStored } from '../../src/sync/messages.js'
import { parrot } from '../support/speech.js'
import { quick } from '../support/temp.js'
import { Chance } from './chance.js'
import type { SimReplica } from './replica.js'
import { deliver, WirePeer } from './wire.js'
import { framesOf, Simulation } from './world.js'

/** Milliseconds that one conversation may take. */
const PATIENCE = 30_000

/** Bytes of memory that may be in use, whatever was said. */
const MEMORY = 2 ** 31

/** What became of some rounds. */
export interface Fuzzed {
  readonly rounds: number
  /** By code; `fine` for those that ended well. */
  readonly outcomes: Readonly<Record<string, number>>
}

type Frames = readonly Uint8Array[]

export class Fuzzer {
  readonly #chance: Chance
  readonly #replica: SimReplica
  readonly #there: Frames[] = []
  readonly #back: Frames[] = []
  readonly #clones: Frames[] = []
  readonly #outcomes: Record<string, number> = {}
  #target: SimReplica
  #rounds = 0
  readonly #root = quick('fuzz')

  private constructor(seed: number, replica: SimReplica) {
    this.#chance = new Chance(seed)
    this.#replica = replica
    this.#target = replica
  }

  static async begin(seed: number): Promise<Fuzzer> {
    const simulation = await Simulation.begin({ seed: seed % 100, replicas: 2, steps: 0 })
    const [asking, answering] = await simulation.pair()
    const fuzzer = new Fuzzer(seed, asking)
    for (const direction of ['pull', 'push', 'sync'] as const) {
      const [one, other] = [await asking.twin(0), await answering.twin(1)]
      // Somebody who has all of it to say.
      const context = await other.context()
      await using peer = new WirePeer('mem:', () => context, direction !== 'push')
      await ask(await one.context(), peer, direction)
      fuzzer.#learn(peer)
    }
    const folded = await answering.twin(1)
    await folded.alone(() => folded.entries.fold())
    await folded.commit()
    const context = await folded.context()
    await using peer = new WirePeer('mem:', () => context, true)
    await clone(peer, { root: quick('corpus') })
    for (const { back } of peer.transcripts) fuzzer.#clones.push(framesOf(back).map(({ whole }) => whole))
    await fuzzer.#renew()
    return fuzzer
  }

  #learn(peer: WirePeer): void {
    for (const { there, back } of peer.transcripts) {
      this.#there.push(framesOf(there).map(({ whole }) => whole))
      this.#back.push(framesOf(back).map(({ whole }) => whole))
    }
  }

  async #renew(): Promise<void> {
    this.#target = await this.#replica.twin(0)
  }

  get result(): Fuzzed {
    return { rounds: this.#rounds, outcomes: this.#outcomes }
  }

  /** One spoilt conversation. */
  async round(): Promise<void> {
    const chance = this.#chance
    this.#rounds++
    const dice = chance.below(20)
    if (dice < 9) await this.#outcome(async () => this.#asServer())
    else if (dice < 18) await this.#outcome(async () => this.#asClient())
    else if (dice < 19) await this.#outcome(async () => this.#asClone())
    else await this.#outcome(async () => this.#asMessage())
    if (this.#rounds % 25 === 0) {
      const { damage } = await verifyEntries(this.#target.entries)
      assert.deepEqual(damage, [])
      const { rss } = process.memoryUsage()
      assert(rss < MEMORY, `${rss} bytes of memory are in use`)
      if (this.#rounds % 100 === 0) await this.#renew()
    }
  }

  async #outcome(work: () => Promise<unknown>): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('it hangs')), PATIENCE)
    })
    let outcome = 'fine'
    try {
      await Promise.race([work(), late])
    } catch (error) {
      if (!(error instanceof CodedError)) throw error
      outcome = error.code
    } finally {
      clearTimeout(timer)
    }
    this.#outcomes[outcome] = (this.#outcomes[outcome] ?? 0) + 1
  }

  async #asServer(): Promise<void> {
    const { error } = await deliver(await this.#target.context(), this.#spoilt(this.#there))
    if (error !== undefined) throw error
  }

  async #asClient(): Promise<void> {
    const chance = this.#chance
    const direction = chance.pick(['pull', 'push', 'sync'] as const)
    await ask(await this.#target.context(), parrot(this.#spoilt(this.#back), chance.once(2)), direction)
  }

  async #asClone(): Promise<void> {
    const root = join(this.#root, String(this.#rounds))
    mkdirSync(root)
    try {
      // A second attempt goes on with what the first one left.
      for (let i = 0; i < 2; i++) {
        try {
          await clone(parrot(this.#spoilt(this.#clones)), { root })
          break
        } catch (error) {
          if (i > 0) throw error
          if (!(error instanceof CodedError)) throw error
        }
      }
    } finally {
      rmSync(root, { recursive: true, force: true })
    }
  }

  /** Messages by themselves. */
  async #asMessage(): Promise<void> {
    const chance = this.#chance
    const bytes = Buffer.concat(this.#spoilt(chance.pick([this.#there, this.#back, this.#clones])))
    for (const { body } of framesOf(bytes)) {
      const decode = chance.pick([decodeHello, decodeDone, decodeError, decodeStored, decodePage])
      const result: unknown = decode(body)
      // What says that something went wrong is an answer.
      if (result instanceof Error && !(result instanceof CodedError)) throw result
    }
  }

  /** A conversation, spoilt in one to three places. */
  #spoilt(corpus: readonly Frames[]): Uint8Array[] {
    const chance = this.#chance
    let frames = [...chance.pick(corpus)]
    const others = chance.pick([...this.#there, ...this.#back, ...this.#clones])
    for (let count = 1 + chance.below(3); count > 0; count--) frames = this.#spoil(frames, others)
    const bytes = Buffer.concat(frames)
    if (chance.once(3)) return [bytes]
    // In pieces.
    const pieces: Uint8Array[] = []
    for (let at = 0; at < bytes.length; ) {
      const end = at + 1 + chance.below(chance.once(2) ? 2000 : 50)
      pieces.push(bytes.subarray(at, end))
      at = end
    }
    return pieces
  }

  #spoil(frames: readonly Uint8Array[], others: Frames): Uint8Array[] {
    const chance = this.#chance
    const spoilt = [...frames]
    if (frames.length === 0) return [...others]
    const at = chance.below(frames.length)
    const one = frames[at] as Uint8Array
    switch (chance.below(12)) {
      case 0: // truncated, at a frame or within one
        return [...spoilt.slice(0, at), one.subarray(0, chance.below(one.length + 1))]
      case 1: {
        // flipped bits
        const changed = Uint8Array.from(one)
        for (let i = 0; i <= chance.below(4); i++) {
          const where = chance.below(changed.length)
          changed[where] = (changed[where] ?? 0) ^ (1 << chance.below(8))
        }
        spoilt[at] = changed
        break
      }
      case 2: {
        // a length that is not true
        const length = chance.pick([0, 1, 255, 65_536, 40 << 20, 2 ** 31 - 1, 2 ** 32 - 1])
        const changed = Buffer.alloc(5 + chance.below(40))
        changed[0] = chance.pick([...'HPBSDEQ']).charCodeAt(0)
        changed.writeUInt32LE(length, 1)
        spoilt[at] = changed
        break
      }
      case 3:
        spoilt.splice(at, 1)
        break
      case 4: // again
        spoilt.splice(chance.below(frames.length + 1), 0, ...Array<Uint8Array>(1 + chance.below(20)).fill(one))
        break
      case 5: // in another order
        return chance.shuffle(frames)
      case 6: // of another conversation
        spoilt.splice(at, chance.below(3), ...others.slice(chance.below(others.length + 1)))
        break
      case 7: {
        // deep nesting
        let body: Uint8Array = Uint8Array.of(1)
        for (let depth = chance.below(3000); depth > 0; depth--) body = encodeRecord('X', body)
        spoilt[at] = encodeRecord(chance.pick([...'HPBSDE'] as Letter[]), body)
        break
      }
      case 8: {
        // a body of anything
        const body = chance.once(2) ? chance.bytes(chance.below(300)) : new Uint8Array(chance.below(200_000))
        spoilt[at] = encodeRecord(chance.pick([...'HPBSDE'] as Letter[]), body)
        break
      }
      default: {
        // pages that are whole, with entries that are not
        const changed = this.#forged(one)
        if (changed !== undefined) spoilt[at] = changed
      }
    }
    return spoilt
  }

  /** A page frame with other entries in it; undefined for other frames. */
  #forged(whole: Uint8Array): Uint8Array | undefined {
    const chance = this.#chance
    const [frame] = framesOf(whole)
    if (frame === undefined || (frame.type !== 'P' && frame.type !== 'S')) return undefined
    try {
      const stored = frame.type === 'S' ? decodeStored(frame.body) : undefined
      const entries: Entry[] = [...decodePage(stored?.page ?? frame.body)].map(({ key, value }) => ({
        key: Uint8Array.from(key),
        value: Uint8Array.from(value),
      }))
      for (let i = 0; i <= chance.below(3); i++) {
        const entry = entries[chance.below(entries.length)]
        if (entry === undefined) return undefined
        const bytes = chance.once(3) ? entry.key : entry.value
        if (chance.once(4)) entries.splice(chance.below(entries.length), 1)
        else if (bytes.length > 0) bytes[chance.below(bytes.length)] = chance.below(256)
      }
      const ordered = entries.sort((a, b) => Buffer.compare(a.key, b.key))
      const page = encodePageSync(ordered)
      const key = chance.once(3) ? stored?.key : ordered.at(-1)?.key
      if (stored === undefined || key === undefined) return encodeRecord('P', page)
      return encodeRecord('S', encodeStored({ key, page }))
    } catch (error) {
      // Spoilt by now, or no page can hold it.
      if (error instanceof CodedError || error instanceof RangeError) return undefined
      throw error
    }
  }
}
