/**
 * A replica of the simulation: a store on a disk that may lose power, somebody's key, and what that somebody does. Whatever is
 * done is told to the model as it was meant.
 * @module
 */
import { createHash } from 'node:crypto'
import { encodeUtf8, toHex } from '../../src/base/bytes.js'
import { CodedError } from '../../src/base/error.js'
import { defaultCrypto as crypto } from '../../src/crypto/default.js'
import type { Composed, ComposeWrite } from '../../src/history/compose.js'
import { decodeVersion, type VersionRef } from '../../src/history/header.js'
import { genesisKey, kindRange, type RefKind } from '../../src/history/keys.js'
import { mergeStates } from '../../src/history/merge.js'
import { type RefChange, refEntries } from '../../src/history/ref-log.js'
import { beginReplica, Replica, replicaOperation } from '../../src/history/replica.js'
import type { Signer } from '../../src/history/signer.js'
import { Versions } from '../../src/history/versions.js'
import type { Entry } from '../../src/lseq/batch.js'
import { EntryStore } from '../../src/lseq/entries.js'
import { formatLseq, formatStream, type Lseq, lseqOfKey, parseLseq } from '../../src/lseq/lseq.js'
import { Streams } from '../../src/lseq/vector.js'
import { authorVersion } from '../../src/repo/author.js'
import { mergeWrites } from '../../src/repo/merge-writes.js'
import type { SyncContext } from '../../src/sync/context.js'
import type { Chance } from './chance.js'
import { Disk, type DiskStore } from './disk.js'
import { type Library, liveRefs, type ModelFile, type ModelRef, type ModelVersion, past } from './model.js'

/** A key, from a number. */
export function signerOf(number: number): Signer {
  const seed = createHash('sha256').update(`key ${number}`).digest()
  return { publicKey: crypto.ed25519.publicKey(seed), sign: (id) => crypto.ed25519.sign(seed, id) }
}

/** Paths that files have: none is a directory of another. */
const PATHS = ['a', 'b', 'c.txt', 'dir/a', 'dir/b', 'dir/deep/a', 'dir/deep/b', 'other/a', 'other/b', 'z'] as const
const BRANCHES = ['main', 'main', 'main', 'topic', 'side'] as const

/** A branch move that can be taken back. */
interface Move {
  readonly ref: ModelRef
  readonly before: readonly string[]
}

/** What all replicas of a simulation share: the model. */
export interface World {
  readonly library: Library
  /** Versions by their ids, as the program names them. */
  readonly refs: Map<string, VersionRef>
  readonly chance: Chance
  /** Counts what is done: a clock. */
  time: number
}

export class SimReplica {
  readonly number: number
  readonly signer: Signer
  readonly disk: Disk
  readonly #world: World
  #store: DiskStore
  #entries: EntryStore
  #versions: Versions
  #turn: Promise<unknown> = Promise.resolve()
  #moves: Move[] = []
  /** Ids of the versions in the store, when it was last looked. */
  has: Set<string> = new Set()
  /** Versions that can be counted on to be here: written by an act that was told to be done, or acknowledged to a peer. */
  readonly acknowledged = new Set<string>()
  /** Versions that may have left this replica, or came from elsewhere. */
  readonly left = new Set<string>()
  /** Whether the process is running. */
  isUp = true

  private constructor(number: number, signer: Signer, disk: Disk, world: World) {
    this.number = number
    this.signer = signer
    this.disk = disk
    this.#world = world
    this.#store = disk.open()
    this.#entries = new EntryStore(this.#store)
    this.#versions = new Versions(this.#entries, new Streams())
  }

  /** A replica with nothing but the repository's genesis. */
  static async begin(number: number, signer: Signer, genesis: Uint8Array, world: World): Promise<SimReplica> {
    const replica = new SimReplica(number, signer, await Disk.empty(), world)
    const operations = [replicaOperation(beginReplica(undefined, world.chance.bytes))]
    await replica.entries.put([{ key: genesisKey(0), value: genesis }], { operations })
    return replica
  }

  /** One with all that is on another one's disk, who thinks to be that one. */
  async twin(number: number): Promise<SimReplica> {
    const replica = new SimReplica(number, this.signer, await this.disk.copy(), this.#world)
    await replica.look()
    for (const id of this.acknowledged) replica.acknowledged.add(id)
    for (const id of this.left) replica.left.add(id)
    return replica
  }

  get store(): DiskStore {
    return this.#store
  }

  get entries(): EntryStore {
    return this.#entries
  }

  get versions(): Versions {
    return this.#versions
  }

  /** The process begins anew. */
  async restart(): Promise<void> {
    this.#store = this.disk.open()
    this.#entries = new EntryStore(this.#store)
    this.#versions = new Versions(this.#entries, new Streams())
    this.#turn = Promise.resolve()
    this.isUp = true
    await this.look()
  }

  /** As it takes part in an exchange. */
  async context(): Promise<SyncContext> {
    const entries = this.#entries
    const replica = await Replica.open(entries, this.signer.publicKey, undefined)
    return { entries, versions: this.#versions, replica, exclusive: (work) => this.alone(work) }
  }

  /** Does something while nothing else writes here. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => undefined)
    return done
  }

  /** Which versions are in the store. */
  async look(): Promise<void> {
    const found = new Set<string>()
    try {
      for await (const batch of this.#entries.scan(kindRange('V'))) {
        for (let i = 0; i < batch.count; i++) found.add(toHex(decodeVersion(batch.value(i)).id))
      }
    } catch (error) {
      // It dies while somebody looks.
      if (error instanceof CodedError && error.code === 'STORE_CLOSED') return
      throw error
    }
    this.has = found
  }

  /** Does something by chance; answers what, or undefined where there was nothing to do. */
  act(): Promise<string | undefined> {
    return this.alone(async () => {
      const { chance, time } = this.#world
      this.#world.time = time + 1
      await this.look()
      const dice = chance.below(40)
      if (dice < 18) return this.#commit()
      if (dice < 24) return this.#merge()
      if (dice < 27) return this.#branch()
      if (dice < 28) return this.#rename()
      if (dice < 29) return this.#deleteBranch()
      if (dice < 31) return this.#tag()
      if (dice < 33) return this.#snapshot()
      if (dice < 36) return this.#undo()
      if (dice < 39) return this.#shelve(chance.once(2))
      await this.#entries.fold()
      return 'fold'
    })
  }

  /** The first version of a repository. */
  first(): Promise<unknown> {
    return this.alone(() => this.#commitOn('main', undefined))
  }

  /** A version on `main`, whatever else. */
  commit(): Promise<unknown> {
    return this.alone(async () => {
      this.#world.time++
      await this.look()
      const heads = this.#branches().filter(({ subject }) => subject === 'bmain')
      return heads.length === 0 ? this.#commit() : this.#commitOn('main', heads[0])
    })
  }

  #live(): ModelRef[] {
    return liveRefs(this.#world.library, this.has)
  }

  #branches(): ModelRef[] {
    return this.#live().filter(({ subject, targets }) => subject.startsWith('b') && targets.length > 0)
  }

  async #commit(): Promise<string | undefined> {
    const { chance } = this.#world
    const heads = this.#branches()
    if (heads.length === 0) return undefined
    const head = chance.pick(heads)
    return this.#commitOn(head.subject.slice(1), head)
  }

  async #commitOn(branch: string, head: ModelRef | undefined): Promise<string> {
    const parents = head === undefined ? [] : head.targets
    const made = await this.#compose(parents, this.#edits(parents), false)
    const replaces = head === undefined ? [] : [head.name]
    await this.#put(made, [{ kind: 'b', name: branch, replaces, targets: [made.id] }])
    this.#remember(branch, parents)
    return `commit on ${branch}`
  }

  /** Notes the move that was made last, so that it can be taken back. */
  #remember(branch: string, before: readonly string[]): void {
    const ref = this.#live().findLast(({ subject, name }) => subject === `b${branch}` && this.#own.has(name))
    if (ref !== undefined) this.#moves.push({ ref, before })
  }

  readonly #own = new Set<string>()

  async #merge(): Promise<string | undefined> {
    const { chance, library, refs } = this.#world
    const heads = chance.shuffle(this.#branches())
    const [left] = heads
    if (left === undefined) return undefined
    const same = heads.find(({ subject, name }) => subject === left.subject && name !== left.name)
    const right = same ?? heads[1]
    if (right === undefined) return undefined
    const [one, other] = [left.targets[0] as string, right.targets[0] as string]
    const [leftPast, rightPast] = [past(library, [one]), past(library, [other])]
    if (![...leftPast].some((id) => rightPast.has(id))) return undefined
    const name = left.subject.slice(1)
    const replaces = left.subject === right.subject ? [left.name, right.name] : [left.name]
    if (leftPast.has(other) || rightPast.has(one)) {
      const target = leftPast.has(other) ? one : other
      if (target === one && replaces.length === 1) return undefined
      await this.#put(undefined, [{ kind: 'b', name, replaces, targets: [target] }])
      return 'fast-forward'
    }
    const [from, to] = [refs.get(one) as VersionRef, refs.get(other) as VersionRef]
    const sides = { left: await this.#versions.vectorOf(from), right: await this.#versions.vectorOf(to) }
    const outcome = await mergeStates({ entries: this.#entries, versions: this.#versions }, sides.left, sides.right)
    const files = { entries: this.#entries, streams: this.#versions.streams }
    const made = await this.#compose([one, other], mergeWrites(files, outcome, sides), false)
    await this.#put(made, [{ kind: 'b', name, replaces, targets: [made.id] }])
    this.#remember(name, [one])
    return 'merge'
  }

  async #branch(): Promise<string | undefined> {
    const { chance } = this.#world
    const heads = this.#branches()
    if (heads.length === 0) return undefined
    const name = chance.pick([...BRANCHES.slice(3), `new${chance.below(1000)}`])
    const there = this.#live().filter(({ subject }) => subject === `b${name}`)
    // Where it is there already it is moved.
    const replaces = there.map((ref) => ref.name)
    // Any version at all: also one that was private up to now.
    const contents = [...this.has].filter((id) => this.#world.library.get(id)?.files !== undefined)
    const isPublic = (id: string): boolean => published.has(id) || this.left.has(id)
    const published = past(
      this.#world.library,
      heads.flatMap(({ targets }) => targets),
    )
    const choices = chance.once(10) ? contents : contents.filter(isPublic)
    const target = chance.once(2) ? chance.pick(heads).targets[0] : chance.pick(choices.sort())
    await this.#put(undefined, [{ kind: 'b', name, replaces, targets: [target as string] }])
    return 'branch'
  }

  async #rename(): Promise<string | undefined> {
    const { chance } = this.#world
    const heads = this.#branches().filter(({ subject }) => subject !== 'bmain')
    if (heads.length === 0) return undefined
    const head = chance.pick(heads)
    const replaces = heads.filter(({ subject }) => subject === head.subject).map(({ name }) => name)
    const old = head.subject.slice(1)
    await this.#put(undefined, [
      { kind: 'b', name: old, replaces, targets: [] },
      { kind: 'b', name: `${old}${chance.below(10)}`, replaces: [], targets: head.targets },
    ])
    return 'rename'
  }

  async #deleteBranch(): Promise<string | undefined> {
    const heads = this.#branches().filter(({ subject }) => subject !== 'bmain')
    if (heads.length === 0) return undefined
    const head = this.#world.chance.pick(heads)
    const replaces = heads.filter(({ subject }) => subject === head.subject).map(({ name }) => name)
    await this.#put(undefined, [{ kind: 'b', name: head.subject.slice(1), replaces, targets: [] }])
    return 'delete branch'
  }

  async #tag(): Promise<string | undefined> {
    const { chance } = this.#world
    const tags = this.#live().filter(({ subject, targets }) => subject.startsWith('t') && targets.length > 0)
    if (tags.length > 0 && chance.once(4)) {
      const tag = chance.pick(tags)
      await this.#put(undefined, [{ kind: 't', name: tag.subject.slice(1), replaces: [tag.name], targets: [] }])
      return 'delete tag'
    }
    const heads = this.#branches()
    if (heads.length === 0) return undefined
    const targets = chance.pick(heads).targets
    await this.#put(undefined, [{ kind: 't', name: `v${chance.below(30)}`, replaces: [], targets }])
    return 'tag'
  }

  async #snapshot(): Promise<string | undefined> {
    const { chance } = this.#world
    const heads = chance.shuffle(this.#branches()).slice(0, 1 + chance.below(2))
    if (heads.length === 0) return undefined
    const targets = heads.flatMap((head) => head.targets)
    await this.#put(undefined, [{ kind: 's', name: `s${chance.below(100)}`, replaces: [], targets }])
    return 'snapshot'
  }

  /** Takes the last move of a branch back, and maybe does something else in its place. */
  async #undo(): Promise<string | undefined> {
    const { chance } = this.#world
    const move = this.#moves.pop()
    if (move === undefined) return undefined
    const live = this.#live().find(({ name }) => name === move.ref.name)
    if (live === undefined) return undefined
    const name = live.subject.slice(1)
    await this.#put(undefined, [{ kind: 'b', name, replaces: [live.name], targets: move.before }])
    if (chance.once(2)) return 'undo'
    await this.look()
    const head = this.#branches().find(({ subject }) => subject === live.subject)
    return head === undefined ? 'undo' : `undo and ${await this.#commitOn(name, head)}`
  }

  /** A version that no name leads to. */
  async #shelve(isAside: boolean): Promise<string | undefined> {
    const { chance } = this.#world
    const heads = this.#branches()
    if (heads.length === 0) return undefined
    const { targets } = chance.pick(heads)
    const made = await this.#compose(targets, this.#edits(targets), isAside)
    await this.#put(made, [])
    return 'shelve'
  }

  /** Random changes of a tree. */
  #edits(parents: readonly string[]): ComposeWrite[] {
    const { chance, library } = this.#world
    const files = new Map(library.get(parents[0] ?? '')?.files)
    const writes = new Map<string, ComposeWrite>()
    const put = (path: string, bytes: Buffer, mode: number, file: string | undefined): void => {
      const content = async (): Promise<Uint8Array> => Uint8Array.from(bytes)
      writes.set(path, { path, put: { mode, file: file === undefined ? undefined : placeOf(file), content } })
    }
    for (let count = 1 + chance.below(3); count > 0; count--) {
      const there = [...files].filter(([path]) => !writes.has(path))
      const free = PATHS.filter((path) => !files.has(path) && !writes.has(path))
      const [path, old] = there.length === 0 ? [undefined, undefined] : chance.pick(there)
      const dice = chance.below(12)
      if (path === undefined || old === undefined || (dice < 3 && free.length > 0)) {
        if (free.length > 0) put(chance.pick(free), this.#content(undefined), 0o100644, undefined)
      } else if (dice < 9) put(path, this.#content(old.bytes), old.mode, old.file)
      else if (dice === 9) {
        writes.set(path, { path, deleted: placeOf(old.file) })
      } else if (dice === 10) put(path, old.bytes, old.mode ^ 0o111, old.file)
      else if (free.length > 0) {
        put(chance.pick(free), chance.once(2) ? old.bytes : this.#content(old.bytes), old.mode, old.file)
        writes.set(path, { path, deleted: placeOf(old.file) })
      }
    }
    return [...writes.values()]
  }

  #content(old: Buffer | undefined): Buffer {
    const { chance } = this.#world
    const line = (): string =>
      `${chance.pick(['', 'x', 'the same', `line ${chance.below(50)}`, `${chance.below(1e9)}`])}\n`
    if (chance.once(12)) return Buffer.concat([Buffer.of(0), chance.bytes(chance.below(chance.once(5) ? 40_000 : 200))])
    const isText = old !== undefined && !old.includes(0)
    const lines = isText ? old.toString('latin1').split(/(?<=\n)/) : Array.from({ length: 1 + chance.below(8) }, line)
    for (let count = 1 + chance.below(3); count > 0; count--) {
      const at = chance.below(lines.length + 1)
      const dice = chance.below(6)
      if (dice < 3) lines.splice(at, 0, line())
      else if (dice === 3) lines.splice(at, 1 + chance.below(3))
      else if (dice === 4) lines.splice(at, 1, line(), line())
      else lines.splice(chance.below(lines.length + 1), 0, ...lines.splice(at, 2))
    }
    const text = lines.join('').slice(0, 4000)
    return Buffer.from(chance.once(20) ? text.replace(/\n$/, '') : text, 'latin1')
  }

  /** Makes a version, and tells the model of it before it is anywhere. */
  async #compose(parents: readonly string[], writes: readonly ComposeWrite[], isAside: boolean): Promise<Made> {
    const { library, refs, time } = this.#world
    const replica = await Replica.open(this.#entries, this.signer.publicKey, undefined)
    const ident = this.#ident()
    const context = { entries: this.#entries, versions: this.#versions, signer: this.signer, replica }
    const composed = await authorVersion(context, {
      parents: parents.map((id) => refs.get(id) as VersionRef),
      writes,
      author: ident,
      committer: ident,
      message: encodeUtf8(`${time}\n`),
      isAside,
    })
    const files = new Map(library.get(parents[0] ?? '')?.files)
    for (const { path, put } of writes) {
      if (put === undefined) files.delete(path)
      else {
        const bytes = Buffer.from(await put.content())
        const file = put.file ?? composed.puts.get(path)?.file
        if (file === undefined) throw new Error(`no file was made at ${path}`)
        files.set(path, { mode: put.mode, bytes, file: formatLseq(file.seq, file.stream) } satisfies ModelFile)
      }
    }
    return { id: toHex(composed.ref.id), composed, files, replica }
  }

  #ident() {
    return {
      name: encodeUtf8(`replica ${this.number}`),
      email: encodeUtf8('sim@example.org'),
      time: 1_700_000_000 + this.#world.time,
      zone: 0,
    }
  }

  /** Writes a version and what is said of names, in one batch, and tells the model. */
  async #put(made: Made | undefined, names: readonly NewRef[]): Promise<void> {
    const { library, refs } = this.#world
    const replica = made?.replica ?? (await Replica.open(this.#entries, this.signer.publicKey, undefined))
    const added: Entry[] = [...(made?.composed.entries ?? [])]
    if (made !== undefined) this.#tell(added, made)
    if (names.length > 0) {
      const changes: RefChange[] = []
      for (const { kind, name, replaces, targets } of names) {
        const value = { replaces: replaces.map(placeOf) }
        const versions = targets.map((id) => refs.get(id) as VersionRef)
        if (kind === 's') {
          let vector = await this.#versions.vectorOf(versions[0] as VersionRef)
          for (const version of versions.slice(1)) vector = vector.join(await this.#versions.vectorOf(version))
          const { streams } = this.#versions
          const tips = [...vector.entries()].map(([slot, seq]) => ({ seq, stream: streams.id(slot) }))
          changes.push({ kind, name, value: { ...value, vector: tips } })
        } else changes.push({ kind, name, value: { ...value, version: versions[0] } })
      }
      const greatest = Math.max(0, ...added.map(({ key }) => lseqOfKey(key).seq))
      const author = { signer: this.signer, replica, ident: this.#ident(), message: 'names' }
      const entries = await refEntries(this.#entries, changes, author, greatest)
      const keys = entries.filter(({ key }) => key[0] === 0x52).map(({ key }) => lseqOfKey(key))
      const said = names.map(({ kind, name, replaces, targets }, i): ModelRef => {
        const { seq, stream } = keys[i] as { seq: number; stream: number }
        return { name: formatLseq(seq, stream), subject: kind + name, replaces, targets }
      })
      this.#tell(entries, undefined, said)
      for (const { name } of said) this.#own.add(name)
      added.push(...entries)
    }
    await this.#entries.put(added, { operations: replica.operations(added), fresh: true })
    for (const { key, value } of added) {
      if (key[0] !== 0x56) continue
      const id = toHex(decodeVersion(value).id)
      if (!library.has(id)) throw new Error('the model was not told')
      this.has.add(id)
      this.acknowledged.add(id)
    }
  }

  /** Tells the model of a version that is among `entries`. */
  #tell(entries: readonly Entry[], made: Made | undefined, said: readonly ModelRef[] = []): void {
    const { library, refs } = this.#world
    const entry = entries.find(({ key }) => key[0] === 0x56)
    if (entry === undefined) throw new Error('there is no version among the entries')
    const version = decodeVersion(entry.value)
    const { stream, first, last } = version
    const id = toHex(version.id)
    const parents = version.parents.map((parent) => toHex(parent.id))
    const earlier = [...this.has].filter((one) => library.get(one)?.stream === formatStream(stream))
    const before = earlier.sort((a, b) => (library.get(b)?.last ?? 0) - (library.get(a)?.last ?? 0))[0]
    if (made !== undefined && before !== undefined && !past(library, parents).has(before)) {
      throw new Error(`${id} goes on with a stream whose end it does not cover`)
    }
    const model: ModelVersion = {
      id,
      place: formatLseq(last, stream),
      stream: formatStream(stream),
      first,
      last,
      parents,
      files: made?.files,
      refs: said,
      before: made === undefined ? before : undefined,
      author: this.number,
    }
    library.set(id, model)
    refs.set(id, { seq: last, stream, id: version.id })
  }
}

/** A version that is not written yet. */
interface Made {
  readonly id: string
  readonly composed: Composed
  readonly files: ReadonlyMap<string, ModelFile>
  readonly replica: Replica
}

/** What is to be said of a name. */
interface NewRef {
  readonly kind: RefKind
  readonly name: string
  readonly replaces: readonly string[]
  readonly targets: readonly string[]
}

/** The lseq that a text names. */
export function placeOf(text: string): Lseq {
  const lseq = parseLseq(text)
  if (lseq === undefined) throw new Error(`${text} is not an lseq`)
  return lseq
}
