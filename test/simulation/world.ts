/**
 * Many replicas, and chance: they write, meet over connections that fail, crash and begin again, and in the end have to be the
 * same, and what the model says.
 * @module
 */
import assert from 'node:assert/strict'
import { toHex } from '../../src/base/bytes.js'
import { CodedError } from '../../src/base/error.js'
import { beginRepository, repositoryId } from '../../src/history/genesis.js'
import { decodeVersion, encodeVersion } from '../../src/history/header.js'
import { pathsAt } from '../../src/history/paths.js'
import { Tips } from '../../src/history/published.js'
import { readRefs } from '../../src/history/refs.js'
import { verifyEntries } from '../../src/history/verify.js'
import type { Entry } from '../../src/lseq/batch.js'
import { formatLseq, formatStream, lseqOfKey } from '../../src/lseq/lseq.js'
import { decodePage, encodePageSync } from '../../src/lseq/page.js'
import { formatVector } from '../../src/lseq/vector.js'
import { encodeRecord } from '../../src/rdx/tlv.js'
import { zipUint } from '../../src/rdx/zip.js'
import { contentOf } from '../../src/repo/files.js'
import { ancestors } from '../../src/repo/log.js'
import { type Asked, ask, type Direction } from '../../src/sync/ask.js'
import { BARE_HELLO, encodeDone, encodeHello, FRAME, type Goal } from '../../src/sync/messages.js'
import { missing } from '../../src/sync/missing.js'
import { packBatches, packPages } from '../../src/sync/packing.js'
import { parrot } from '../support/speech.js'
import { Chance } from './chance.js'
import { type Library, liveRefs, offered, past, treeText, vectorText } from './model.js'
import { SimReplica, signerOf, type World } from './replica.js'
import { deliver, type Trouble, WirePeer } from './wire.js'

/** How a simulation is to be. */
export interface Settings {
  readonly seed: number
  readonly replicas: number
  readonly steps: number
  /** Milliseconds that one exchange may take before it counts as hung. */
  readonly patience?: number
  readonly log?: ((line: string) => void) | undefined
  /** Whether some are hostile: they write one stream from two places, forge, withhold and lie. */
  readonly isHostile?: boolean | undefined
}

/** What happened, for whoever wants figures. */
export interface Tally {
  steps: number
  versions: number
  exchanges: number
  cuts: number
  crashes: number
  redelivered: number
  verified: number
  states: number
  /** Batches of forged versions, and lies about tips. */
  lies: number
  /** Versions that rest on a stream which was written from two places. */
  tainted: number
  evidence: number
}

const DIRECTIONS: readonly Direction[] = ['pull', 'push', 'sync', 'sync']

export class Simulation implements World {
  readonly chance: Chance
  readonly library: Library = new Map()
  readonly refs: World['refs'] = new Map()
  time = 0
  readonly replicas: SimReplica[] = []
  readonly tally: Tally = {
    steps: 0,
    versions: 0,
    exchanges: 0,
    cuts: 0,
    crashes: 0,
    redelivered: 0,
    verified: 0,
    states: 0,
    lies: 0,
    tainted: 0,
    evidence: 0,
  }
  readonly #settings: Settings
  readonly #genesis: Uint8Array
  /** Frames of exchanges of before: to whom they come next is chance. */
  readonly #mail: Buffer[] = []
  /** Replicas with different numbers do not reach each other. */
  #parts: number[] = []

  private constructor(settings: Settings) {
    this.#settings = settings
    this.chance = new Chance(settings.seed)
    this.#genesis = beginRepository(this.chance.bytes)
  }

  static async begin(settings: Settings): Promise<Simulation> {
    const simulation = new Simulation(settings)
    await simulation.#begin()
    return simulation
  }

  async #begin(): Promise<void> {
    const { replicas: count } = this.#settings
    // A third of the keys write in several clones.
    const keys = Math.max(1, Math.ceil((count * 2) / 3))
    for (let i = 0; i < count; i++) {
      this.replicas.push(await SimReplica.begin(i, signerOf(i % keys), this.#genesis, this))
    }
    const [first, ...others] = this.replicas as [SimReplica, ...SimReplica[]]
    await first.first()
    for (const other of others) if (this.chance.once(2)) await this.#exchange(other, first, 'pull', {})
    this.#parts = this.replicas.map(() => 0)
  }

  /** Everything, from the first step to the comparison of all replicas. */
  async run(): Promise<Tally> {
    const { steps, isHostile = false } = this.#settings
    // The copy comes late, so that there is something sound, too.
    const fork = isHostile ? Math.floor(steps / 2) : -1
    for (let step = 0; step < steps; step++) {
      if (step === fork) await this.#fork()
      await this.step()
      if (isHostile && this.chance.once(4)) await this.#lie()
    }
    await this.end()
    return this.tally
  }

  /** Somebody goes on with one replica in two places, and neither notices. */
  async #fork(): Promise<void> {
    const original = this.replicas.at(-1) as SimReplica
    if (!original.isUp) await this.#restart(original)
    await original.look()
    for (const id of original.has) this.#common.add(id)
    const twin = await original.twin(this.replicas.length)
    this.replicas.push(twin)
    this.#parts.push(0)
    this.#evil.add(original.number).add(twin.number)
    // Both write something next, so that there are two versions for one place.
    for (const replica of [original, twin]) await replica.commit()
    this.#log(`${original.number} is ${twin.number}, too`)
  }

  /** Forged versions, and tips that are not true. */
  async #lie(): Promise<void> {
    const { chance } = this
    const [from, to] = chance.shuffle(this.replicas) as [SimReplica, SimReplica]
    if (!from.isUp || !to.isUp || this.#evil.has(to.number)) return
    this.tally.lies++
    await Promise.all([from.look(), to.look()])
    this.#offers(from)
    const ids = chance.shuffle([...from.has].filter((id) => from.left.has(id)).sort()).slice(0, 1 + chance.below(4))
    const batches: Uint8Array[] = []
    for (const id of ids) {
      const version = await from.versions.expect(this.#place(id))
      for await (const batch of packBatches(from.entries, [missing(version)])) {
        const entries: Entry[] = []
        for await (const page of packPages(from.entries, batch)) entries.push(...decodePage(page))
        const forged = forge(entries, chance)
        if (forged.length > 0) batches.push(encodeRecord(FRAME.page, encodePageSync(forged)))
        batches.push(encodeRecord(FRAME.batch, zipUint(1)))
      }
    }
    const tips = new Tips(
      [...from.has].slice(0, chance.below(5)).map((id) => {
        const { seq, stream } = this.#place(id)
        return { seq: Math.max(1, seq + chance.below(5) - 2), stream, check: chance.below(2 ** 32) }
      }),
    )
    const said = Buffer.concat([this.#hello(tips, chance.pick(['send', 'sync'])), ...batches, DONE])
    if (chance.once(2)) await this.#deliver(to, [said], 'lies')
    else {
      const hello = this.#hello(tips, undefined)
      const peer = parrot([hello, ...batches, encodeRecord(FRAME.done, encodeDone({ tips, refused: [], waiting: 0 }))])
      const url = `mem:${from.number}`
      const isInteractive = chance.once(2)
      await this.#patiently(ask(await to.context(), { ...peer, url, isInteractive }, chance.pick(DIRECTIONS)), 'lies')
      this.#log(`${to.number} is told lies in the name of ${from.number}`)
      await this.#assertHonest(to, [])
    }
  }

  readonly #evil = new Set<number>()

  get #honest(): SimReplica[] {
    return this.replicas.filter(({ number }) => !this.#evil.has(number))
  }

  /** Versions that nobody can be sure of: of streams written from two places, and what rests on them. */
  #tainted(): Set<string> {
    const { library } = this
    const tainted = new Set<string>()
    if (this.#evil.size === 0) return tainted
    const all = [...library.values()].sort((a, b) => a.last - b.last)
    const evil = all.filter(({ author }) => this.#evil.has(author))
    const [original, twin] = this.replicas.filter(({ number }) => this.#evil.has(number)) as [SimReplica, SimReplica]
    for (const { id, stream, author } of evil) {
      // What one of them alone has in a stream that the other has gone on with, too.
      const other = author === original.number ? twin : original
      if (evil.some((one) => one.stream === stream && one.author === other.number) && !this.#wasCommon(id))
        tainted.add(id)
    }
    for (let isMore = true; isMore; ) {
      isMore = false
      for (const { id, parents, before, refs } of all) {
        if (tainted.has(id)) continue
        const names = [...parents, ...(before === undefined ? [] : [before]), ...refs.flatMap(({ targets }) => targets)]
        if (!names.some((one) => tainted.has(one))) continue
        tainted.add(id)
        isMore = true
      }
    }
    return tainted
  }

  /** Whether a version was there before its replica became two. */
  #wasCommon(id: string): boolean {
    return this.#common.has(id)
  }

  readonly #common = new Set<string>()

  /** Two replicas that have news for each other. */
  async pair(): Promise<[SimReplica, SimReplica]> {
    const [one, other] = this.replicas as [SimReplica, SimReplica]
    await this.#exchange(other, one, 'pull', {})
    for (const replica of [one, other]) for (let i = 0; i < 3; i++) await replica.commit()
    await one.look()
    await other.look()
    return [one, other]
  }

  async step(): Promise<void> {
    const { chance, replicas } = this
    this.tally.steps++
    const dice = chance.below(40)
    if (dice < 16) {
      const replica = chance.pick(replicas)
      if (!replica.isUp) return
      this.#log(`${replica.number}: ${await replica.act()}`)
    } else if (dice < 31) await this.#meet()
    else if (dice < 34) await Promise.all(Array.from({ length: 2 + chance.below(3) }, () => this.#meet()))
    else if (dice < 36) await this.#redeliver()
    else if (dice < 37) {
      const parts = 1 + chance.below(3)
      this.#parts = replicas.map(() => chance.below(parts))
    } else if (dice < 38) await this.#bundle()
    else if (dice < 39) {
      for (const replica of replicas) if (!replica.isUp && chance.once(2)) await this.#restart(replica)
    } else await this.#verify(chance.pick(replicas))
  }

  /** Two replicas meet, one way or another. */
  async #meet(): Promise<void> {
    const { chance } = this
    const [one, other] = chance.shuffle(this.replicas) as [SimReplica, SimReplica]
    if (!one.isUp || !other.isUp || this.#parts[one.number] !== this.#parts[other.number]) return
    await this.#exchange(one, other, chance.pick(DIRECTIONS), {
      isInteractive: chance.once(2),
      isFaulty: chance.below(3) > 0,
      isWatched: chance.once(4),
    })
  }

  async #exchange(
    asking: SimReplica,
    answering: SimReplica,
    direction: Direction,
    how: { readonly isInteractive?: boolean; readonly isFaulty?: boolean; readonly isWatched?: boolean },
  ): Promise<Asked | undefined> {
    const { chance, library } = this
    const { isInteractive = true, isFaulty = false } = how
    this.tally.exchanges++
    await Promise.all([asking.look(), answering.look()])
    const [mine, theirs] = [this.#offers(asking), this.#offers(answering)]
    const contexts = await Promise.all([asking.context(), answering.context()]).catch((error: unknown) => {
      if (this.#isExpected(error, true)) return undefined
      throw error
    })
    // Somebody has just died.
    if (contexts === undefined) return undefined
    const [context, there] = contexts
    const dies = isFaulty && chance.once(5) ? chance.pick([asking, answering]) : undefined
    let cuts = 0
    const troubles = [0, 1, 2].map((): Trouble => {
      const piece = chance.once(3) ? (length: number) => 1 + chance.below(Math.min(length, 300)) : undefined
      if (!isFaulty || chance.once(3)) return { piece }
      if (chance.once(10)) return { unreachable: true }
      const after = chance.once(3) ? chance.below(200) : chance.below(6000)
      return chance.once(2) ? { piece, cutThere: after } : { piece, cutBack: after }
    })
    const peer = new WirePeer(
      `mem:${answering.number}`,
      () => there,
      isInteractive,
      (call) => {
        const trouble = troubles[call] ?? {}
        if (trouble.unreachable || trouble.cutBack !== undefined || trouble.cutThere !== undefined) cuts++
        return trouble
      },
    )
    dies?.store.dieAt(1 + chance.below(4), chance.once(2), async () => peer.cut())
    let asked: Asked | undefined
    let failure: unknown
    try {
      asked = await this.#patiently(ask(context, peer, direction), `${asking.number} ${direction} ${answering.number}`)
    } catch (error) {
      failure = error
    }
    await this.#patiently(peer[Symbol.asyncDispose](), 'the answering side')
    dies?.store.spare()
    this.tally.cuts += failure === undefined ? 0 : 1
    this.#log(
      `${asking.number} ${direction} ${answering.number}${isInteractive ? '' : ' in the dark'}: ` +
        (asked === undefined
          ? `${(failure as { code?: string }).code ?? failure}`
          : `sent ${asked.sent}, accepted ${asked.accepted.length}, ${asked.exchanges} exchanges`),
    )
    for (const fault of peer.faults) throw fault
    const crashed = [asking, answering].filter(({ store }) => store.isDead)
    if (failure !== undefined && !this.#isExpected(failure, cuts > 0 || crashed.length > 0 || isFaulty)) throw failure
    if (how.isWatched === true) await this.#assertNothingPrivate(peer, asking, answering)
    for (const { there: bytes } of peer.transcripts)
      if (bytes.length > 0 && this.#mail.length < 200) this.#mail.push(bytes)
    for (const replica of crashed) await this.#crash(replica)
    await this.#assertHonest(asking, [answering])
    await this.#assertHonest(answering, [asking])
    if (asked === undefined) return undefined
    const tainted = this.#tainted()
    const sound = (ids: ReadonlySet<string>): string[] => [...ids].filter((id) => !tainted.has(id))
    // What a liar sent may wait aside, and be found out only when something sound has come.
    if (this.#settings.isHostile !== true) assert.deepEqual([...asked.refused, ...asked.refusedThere], [])
    if (direction !== 'push' && asking.isUp) assertHas(asking, sound(theirs), library, 'what the other side offered')
    if (direction !== 'pull') {
      for (const id of sound(mine)) answering.acknowledged.add(id)
      if (answering.isUp) assertHas(answering, sound(mine), library, 'what was sent')
    }
    return asked
  }

  /** What a replica offers now, which may have left it from now on. */
  #offers(replica: SimReplica): Set<string> {
    const all = offered(this.library, replica.has)
    for (const id of all) replica.left.add(id)
    return all
  }

  #isExpected(error: unknown, isFaulty: boolean): boolean {
    return error instanceof CodedError && isFaulty && /^(SYNC_CUT|REMOTE_|STORE_CLOSED|SYNC_PEER)/.test(error.code)
  }

  /** Sees to it that a replica has what it has acknowledged, and nothing that nobody gave it. */
  async #assertHonest(replica: SimReplica, others: readonly SimReplica[]): Promise<void> {
    if (!replica.isUp) return
    await replica.look()
    assertHas(replica, replica.acknowledged, this.library, 'what it has acknowledged')
    for (const id of replica.has) {
      assert(this.library.has(id), `replica ${replica.number} has a version that nobody made`)
      if (replica.left.has(id) || this.library.get(id)?.author === replica.number) continue
      // A copy has what was private where it comes from.
      if (this.#evil.has(replica.number) && this.#common.has(id)) continue
      const came =
        others.length === 0 ? this.replicas : this.replicas.filter((one) => others.includes(one) || one.left.has(id))
      assert(
        came.some(({ left }) => left.has(id)),
        `replica ${replica.number} has ${this.#describe(id)}, which nobody gave away`,
      )
      replica.left.add(id)
    }
  }

  #describe(id: string): string {
    const version = this.library.get(id)
    return version === undefined ? id : `${version.place} of replica ${version.author}`
  }

  /** Looks into what went over the wire. */
  async #assertNothingPrivate(peer: WirePeer, asking: SimReplica, answering: SimReplica): Promise<void> {
    for (const { there, back } of peer.transcripts) {
      for (const [bytes, sender] of [
        [there, asking],
        [back, answering],
      ] as const) {
        if (this.#evil.has(sender.number)) continue
        const blocks = [...sender.has].flatMap((id) => this.library.get(id) ?? [])
        for (const { type, body } of framesOf(bytes)) {
          if (type !== FRAME.page) continue
          for (const { key } of decodePage(body)) {
            const { seq, stream } = lseqOfKey(key)
            const kind = String.fromCharCode(key[0] as number)
            assert(kind !== 'I' && kind !== 'X', 'an index was sent')
            const version = blocks.find(
              (one) => one.stream === formatStream(stream) && one.first <= seq && seq <= one.last,
            )
            if (version === undefined || sender.left.has(version.id)) continue
            assert.fail(`replica ${sender.number} sent something private of ${version.place}`)
          }
        }
      }
    }
  }

  async #crash(replica: SimReplica): Promise<void> {
    this.tally.crashes++
    replica.isUp = false
    await replica.disk.lose((unsynced) => this.chance.below(unsynced + 1))
    this.#log(`${replica.number}: crashed`)
  }

  async #restart(replica: SimReplica): Promise<void> {
    await replica.restart()
    assertHas(replica, replica.acknowledged, this.library, 'what it acknowledged before it crashed')
    await this.#assertHonest(replica, [])
    this.#log(`${replica.number}: back`)
  }

  /** What was sent once comes again: to somebody else, late, in another order, and not all of it. */
  async #redeliver(): Promise<void> {
    const { chance } = this
    const replica = chance.pick(this.replicas)
    if (this.#mail.length === 0 || !replica.isUp) return
    const frames = framesOf(chance.pick(this.#mail)).map(({ whole }) => whole)
    const batches = Array.from({ length: chance.below(3) }, () => batchesOf(chance.pick(this.#mail))).flat()
    const hello = frames[0]
    if (hello === undefined) return
    const isSame = chance.once(2)
    const all = isSame ? frames : [hello, ...chance.shuffle(batches).slice(0, 1 + chance.below(8)), DONE]
    await this.#deliver(replica, all, isSame ? 'an exchange' : `${all.length - 2} batches`)
  }

  /** Some versions of a replica, a batch each, in any order. */
  async #bundle(): Promise<void> {
    const { chance } = this
    const [from, to] = chance.shuffle(this.replicas) as [SimReplica, SimReplica]
    if (!from.isUp || !to.isUp) return
    await from.look()
    this.#offers(from)
    const ids = chance.shuffle([...from.has].filter((id) => from.left.has(id)).sort()).slice(0, 1 + chance.below(12))
    const bytes: Uint8Array[] = [this.#hello(new Tips(), 'send')]
    for (const id of ids) {
      const { seq, stream } = this.refs.get(id) as { seq: number; stream: number }
      const version = await from.versions.expect({ seq, stream })
      for await (const batch of packBatches(from.entries, [missing(version)])) {
        for await (const page of packPages(from.entries, batch)) bytes.push(encodeRecord(FRAME.page, page))
        bytes.push(encodeRecord(FRAME.batch, zipUint(1)))
      }
    }
    await this.#deliver(to, [...bytes, DONE], `${ids.length} versions of ${from.number}`)
  }

  #hello(tips: Tips, goal: Goal | undefined): Uint8Array {
    return encodeRecord(
      FRAME.hello,
      encodeHello({ ...BARE_HELLO, repository: repositoryId(this.#genesis), goal, tips }),
    )
  }

  async #deliver(replica: SimReplica, bytes: readonly Uint8Array[], what: string): Promise<void> {
    this.tally.redelivered++
    await replica.look()
    this.#offers(replica)
    const { error } = await this.#patiently(deliver(await replica.context(), bytes), 'delivery')
    this.#log(`${replica.number} gets ${what}${error === undefined ? '' : `: ${(error as { code?: string }).code}`}`)
    if (error !== undefined && !this.#isExpected(error, true)) throw error
    await this.#assertHonest(replica, [])
  }

  async #verify(replica: SimReplica): Promise<void> {
    if (!replica.isUp) return
    this.tally.verified++
    await replica.alone(async () => {
      const { ok, damage } = await verifyEntries(replica.entries)
      assert(ok, `replica ${replica.number} is damaged: ${JSON.stringify(damage.slice(0, 3))}`)
    })
  }

  /** Everybody is reached again, and ends up the same. */
  async end(): Promise<void> {
    for (const replica of this.replicas) if (!replica.isUp) await this.#restart(replica)
    await this.settle(this.#evil.size === 0 ? this.replicas : this.#honest)
    if (this.#evil.size === 0) await this.assertSame(this.replicas)
    else await this.#assertSound(this.#honest)
  }

  /** What rests on nothing that was written from two places is the same everywhere; the rest is told as evidence. */
  async #assertSound(replicas: readonly SimReplica[]): Promise<void> {
    const { library } = this
    const tainted = this.#tainted()
    this.tally.tainted = tainted.size
    const all = new Set(replicas.flatMap((replica) => [...offered(library, replica.has)]))
    const sound = [...all].filter((id) => !tainted.has(id))
    this.tally.versions = sound.length
    const held = new Map<string, Set<string>>()
    for (const replica of replicas) {
      assertHas(replica, sound, library, 'what is sound')
      await this.#verify(replica)
      const some = this.chance.shuffle(sound.filter((id) => library.get(id)?.files !== undefined)).slice(0, 20)
      for (const id of some) await this.#assertState(replica, id)
      for (const id of replica.has) {
        const { stream = '', author = 0 } = library.get(id) ?? {}
        if (!tainted.has(id) || !this.#evil.has(author)) continue
        held.set(stream, (held.get(stream) ?? new Set()).add(String(author)))
      }
      for await (const keys of replica.store.keys({ gte: Uint8Array.of(0x71), lt: Uint8Array.of(0x72) })) {
        this.tally.evidence += keys.length
      }
    }
    const isTwice = [...held.values()].some((authors) => authors.size > 1)
    assert(
      !isTwice || this.tally.evidence > 0,
      'two versions for one place were seen, and nobody kept them as evidence',
    )
  }

  /** Exchanges without faults until there is nothing left to tell: up the row and down again. */
  async settle(replicas: readonly SimReplica[]): Promise<void> {
    const { chance } = this
    for (let i = 1; i < replicas.length; i++) {
      await this.#exchange(replicas[i - 1] as SimReplica, replicas[i] as SimReplica, chance.pick(['push', 'sync']), {
        isInteractive: chance.once(2),
      })
    }
    for (let i = replicas.length - 1; i > 0; i--) {
      await this.#exchange(replicas[i - 1] as SimReplica, replicas[i] as SimReplica, chance.pick(['pull', 'sync']), {
        isInteractive: chance.once(2),
      })
    }
  }

  /** Compares all replicas with each other and with the model. */
  async assertSame(replicas: readonly SimReplica[]): Promise<void> {
    const { library } = this
    const shared = new Set(replicas.flatMap((replica) => [...offered(library, replica.has)]))
    // What came elsewhere stays, whatever became of its name.
    for (const { has, number } of replicas) for (const id of has) if (library.get(id)?.author !== number) shared.add(id)
    this.tally.versions = shared.size
    const versions = [...shared].map((id) => library.get(id) as NonNullable<ReturnType<Library['get']>>)
    const expected = new Map<string, string>()
    for (const replica of replicas) {
      assertHas(replica, shared, library, 'what others have')
      await this.#verify(replica)
      const entries = await sharedEntries(replica, versions, library)
      for (const [key, value] of entries) {
        if (!expected.has(key) && replica === replicas[0]) expected.set(key, value)
        assert.equal(value, expected.get(key), `replica ${replica.number} differs from others at the key ${key}`)
      }
      assert.equal(entries.size, expected.size, `replica ${replica.number} lacks entries that others have`)
      await assertTidy(replica)
      await this.#assertRefs(replica)
    }
    for (const { id, files } of versions) {
      if (files === undefined) continue
      const some = replicas.length <= 3 ? replicas : this.chance.shuffle(replicas).slice(0, 2)
      for (const replica of some) await this.#assertState(replica, id)
    }
  }

  async #assertRefs(replica: SimReplica): Promise<void> {
    const { library } = this
    const model = liveRefs(library, replica.has).map(
      ({ subject, name, targets }) =>
        `${subject} ${name} ${targets.length === 0 ? '' : subject.startsWith('s') ? vectorText(library, past(library, targets)) : targets.join()}`,
    )
    const refs = await readRefs(replica.entries)
    const found = refs.map(({ kind, name, seq, stream, value: { version, vector } }) => {
      const state = vector?.map((tip) => `${formatStream(tip.stream)}:${tip.seq}`).sort()
      return `${kind}${name} ${formatLseq(seq, stream)} ${state?.join() ?? (version === undefined ? '' : toHex(version.id))}`
    })
    assert.deepEqual(found.sort(), model.sort(), `names of replica ${replica.number}`)
    const heads = liveRefs(library, replica.has).filter(({ subject }) => subject.startsWith('b'))
    const all = heads.flatMap(({ targets }) => targets)
    const from = []
    for (const id of new Set(all)) from.push(await replica.versions.expect(this.#place(id)))
    const log: string[] = []
    for await (const { id } of ancestors(replica.versions, from)) log.push(toHex(id))
    const order = [...past(library, all)].map((id) => this.#place(id))
    order.sort((a, b) => b.seq - a.seq || b.stream - a.stream)
    assert.deepEqual(
      log,
      order.map(({ id }) => toHex(id)),
      `log of replica ${replica.number}`,
    )
  }

  #place(id: string): { seq: number; stream: number; id: Uint8Array } {
    const place = this.refs.get(id)
    if (place === undefined) throw new Error(`there is no version ${id}`)
    return place
  }

  /** The tree of a version with all contents, and what the version covers. */
  async #assertState(replica: SimReplica, id: string): Promise<void> {
    this.tally.states++
    const { library } = this
    const { entries, versions } = replica
    const { streams } = versions
    const vector = await versions.vectorOf(this.#place(id))
    const where = `${this.#describe(id)} on replica ${replica.number}`
    assert.equal(formatVector(vector, streams), vectorText(library, past(library, [id])), `what ${where} covers`)
    const found: string[] = []
    for await (const { path, entry } of pathsAt(entries, streams, vector)) {
      const bytes = Buffer.from(await contentOf({ entries, streams }, path, entry, vector))
      const file = formatLseq(entry.file.seq, entry.file.stream)
      found.push(`${path} ${entry.mode.toString(8)} ${file} ${bytes.toString('latin1')}`)
    }
    const files = library.get(id)?.files
    assert.deepEqual(found.sort(), files === undefined ? [] : treeText(files), `the tree of ${where}`)
  }

  async #patiently<T>(work: Promise<T>, what: string): Promise<T> {
    const { patience = 60_000 } = this.#settings
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`${what} hangs`)), patience)
    })
    try {
      return await Promise.race([work, late])
    } finally {
      clearTimeout(timer)
    }
  }

  #log(line: string): void {
    this.#settings.log?.(`${this.tally.steps}  ${line}`)
  }
}

/** Changes entries of a version in one way or another. */
function forge(entries: readonly Entry[], chance: Chance): Entry[] {
  const at = chance.below(entries.length)
  const { key, value } = entries[at] as Entry
  const changed = Uint8Array.from(value)
  if (changed.length > 0) changed.set([chance.below(256)], chance.below(changed.length))
  const rest = entries.filter((_, i) => i !== at)
  const isIts = (entry: Entry): boolean => String.fromCharCode(entry.key[0] as number) === 'V'
  const dice = chance.below(6)
  if (dice < 2) return inOrder([...rest, { key, value: changed }])
  if (dice === 2) return rest
  if (dice === 3) return inOrder([...rest, { key, value: Buffer.concat([value, Uint8Array.of(0)]) }])
  if (dice === 4) {
    const stray = Buffer.concat([Buffer.from('Pstray\0'), key.subarray(-8)])
    return inOrder([...entries, { key: Uint8Array.from(stray), value: changed }])
  }
  return inOrder(
    entries.map((entry) => {
      if (!isIts(entry)) return entry
      // Of somebody else's key.
      const { headerBytes, id } = decodeVersion(entry.value)
      return { key: entry.key, value: encodeVersion(headerBytes, signerOf(chance.below(99)).sign(id)) }
    }),
  )
}

/** In key order, each key once. */
function inOrder(entries: readonly Entry[]): Entry[] {
  const byKey = new Map(entries.map((entry) => [toHex(entry.key), entry]))
  return [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry)
}

const DONE = encodeRecord(FRAME.done, encodeDone({ tips: new Tips(), refused: [], waiting: 0 }))

function assertHas(replica: SimReplica, ids: Iterable<string>, library: Library, what: string): void {
  for (const id of ids) {
    if (replica.has.has(id)) continue
    const version = library.get(id)
    assert.fail(`replica ${replica.number} lacks ${what}: ${version?.place} of replica ${version?.author}`)
  }
}

/** One frame of a stream of bytes. */
export interface RawFrame {
  readonly type: string
  readonly body: Uint8Array
  readonly whole: Uint8Array
}

/** The whole frames at the beginning of `bytes`, found without the program's own reader. */
export function framesOf(bytes: Uint8Array): RawFrame[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const frames: RawFrame[] = []
  for (let at = 0; at < buffer.length; ) {
    const letter = String.fromCharCode(buffer[at] as number)
    const isShort = letter >= 'a' && letter <= 'z'
    if (at + (isShort ? 2 : 5) > buffer.length) break
    const start = at + (isShort ? 2 : 5)
    const end = start + (isShort ? (buffer[at + 1] as number) : buffer.readUInt32LE(at + 1))
    if (end > buffer.length) break
    frames.push({ type: letter.toUpperCase(), body: buffer.subarray(start, end), whole: buffer.subarray(at, end) })
    at = end
  }
  return frames
}

/** The batches of a stream: their pages, and what ends them. */
function batchesOf(bytes: Uint8Array): Uint8Array[] {
  const batches: Uint8Array[] = []
  let pages: Uint8Array[] = []
  for (const { type, whole } of framesOf(bytes)) {
    if (type === FRAME.page) pages.push(whole)
    else if (type === FRAME.batch) {
      batches.push(Buffer.concat([...pages, whole]))
      pages = []
    }
  }
  return batches
}

/** All entries of some versions that a replica has, by key in hex; what else it has is private, and is looked at. */
async function sharedEntries(
  replica: SimReplica,
  shared: readonly NonNullable<ReturnType<Library['get']>>[],
  library: Library,
): Promise<Map<string, string>> {
  const entries = new Map<string, string>()
  const blocks = new Map<string, { first: number; last: number }[]>()
  for (const version of shared) blocks.set(version.stream, [...(blocks.get(version.stream) ?? []), version])
  for await (const batch of replica.entries.scan()) {
    for (const { key, value } of batch) {
      const kind = String.fromCharCode(key[0] as number)
      if (kind === 'I' || kind === 'X') continue
      const { seq, stream } = lseqOfKey(key)
      const name = formatStream(stream)
      const known = blocks.get(name)
      const isShared =
        kind === 'K'
          ? stream === 0 || known !== undefined
          : known?.some(({ first, last }) => first <= seq && seq <= last)
      if (isShared === true) entries.set(toHex(key), toHex(value))
      else {
        const isOwn = [...replica.has].some((id) => {
          const version = library.get(id)
          const isIn = kind === 'K' || (version !== undefined && version.first <= seq && seq <= version.last)
          return version?.author === replica.number && version.stream === name && isIn
        })
        assert(isOwn, `replica ${replica.number} has an entry of nobody: ${toHex(key)}`)
      }
    }
  }
  return entries
}

/** Sees to it that nothing is left aside, and no evidence against anybody. */
async function assertTidy(replica: SimReplica): Promise<void> {
  for await (const keys of replica.store.keys()) {
    for (const key of keys) {
      const letter = String.fromCharCode(key[0] as number)
      assert('epm'.includes(letter), `replica ${replica.number} has something under ${letter}: ${toHex(key)}`)
    }
  }
}
