/**
 * Snapshots: names for version vectors, kept as signed entries in the writer's refs stream.
 *
 * A snapshot is set once. Two replicas that gave one name to different states have both after a merge; neither is lost,
 * and asking for that name is an error that says so.
 * @module
 */
import { decodeUtf8, encodeUtf8, fromLatin1, toHex, toLatin1 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { REF_KINDS } from '../history/keys.js'
import { isDeletion, type Ref, readRefs } from '../history/refs.js'
import type { Writer } from '../history/replica.js'
import { formatStream } from '../lseq/lseq.js'
import { parseVector } from '../lseq/vector.js'
import type { RepositoryContext } from './context.js'
import { Describer, person, textOf } from './describe.js'
import { identNow } from './ident.js'
import type { State } from './resolve.js'
import type { Progress, RestoreReport, Snapshot } from './results.js'

/** Bytes of the longest name. */
const NAME_LIMIT = 255

/** Names shown where one is not found. */
const SHOWN = 8

/** The snapshots of a repository. */
export class Snapshots {
  readonly #repository: RepositoryContext & { writer(): Promise<Writer> }
  /** Settles when the last snapshot asked for is made: each takes its lseqs behind the one before. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(repository: RepositoryContext & { writer(): Promise<Writer> }) {
    this.#repository = repository
  }

  /**
   * Names the state that `at` means, by default the current branch.
   *
   * @throws {CodedError} `NAME_BAD`, `NAME_TAKEN`; `V_*` for `at`; `KEY_*` where there is no key to sign with.
   */
  create(name: string, options: { at?: string } = {}): Promise<Snapshot> {
    const made = this.#turn.then(() => this.#create(name, options.at))
    this.#turn = made.catch(() => undefined)
    return made
  }

  async #create(name: string, at: string | undefined): Promise<Snapshot> {
    const { entries, versions } = this.#repository
    const bytes = parseName(name)
    const { vector } = await this.#repository.resolve(at)
    const taken = (await readRefs(entries)).find((ref) => ref.name === bytes && !isDeletion(ref.value))
    if (taken !== undefined) {
      throw new CodedError('NAME_TAKEN', `There is a ${REF_KINDS[taken.kind]} of the name ${name} already.`, {
        hint: 'Choose another name: a snapshot is never moved.',
      })
    }
    const writer = await this.#repository.writer()
    const { refEntries } = await import('../history/ref-log.js')
    const tips = [...vector.entries()].map(([slot, seq]) => ({ seq, stream: versions.streams.id(slot) }))
    const change = { kind: 's', name: bytes, value: { replaces: [], vector: tips } } as const
    const added = await refEntries(entries, [change], { ...writer, ident: identNow(), message: 'snapshot' })
    await entries.put(added, { operations: writer.replica.operations(added) })
    return this.show(name)
  }

  /** All snapshots, in the order of their names' bytes. */
  async list(): Promise<Snapshot[]> {
    return this.#described(await this.#refs())
  }

  /** @throws {CodedError} `V_UNKNOWN`, `V_AMBIGUOUS`. */
  async show(name: string): Promise<Snapshot> {
    const [snapshot] = await this.#described([await this.#only(name)])
    return snapshot as Snapshot
  }

  /**
   * Writes the state that a snapshot names into a new or empty directory.
   *
   * @throws {CodedError} As `show`, and as `restoreState`.
   */
  async restore(name: string, to: string, options: { progress?: Progress } = {}): Promise<RestoreReport> {
    const { writeState } = await import('./restore.js')
    return writeState(this.#repository, await this.#state(await this.#only(name)), { to, ...options })
  }

  async #refs(): Promise<Ref[]> {
    return (await readRefs(this.#repository.entries, 's')).filter(({ value }) => value.vector !== undefined)
  }

  async #only(name: string): Promise<Ref> {
    const bytes = toLatin1(encodeUtf8(name))
    const refs = await this.#refs()
    const named = refs.filter((ref) => ref.name === bytes)
    const [ref] = named
    if (named.length === 1 && ref !== undefined) return ref
    if (named.length > 1) {
      const candidates = named.map((one) => vectorText(one))
      throw new CodedError(
        'V_AMBIGUOUS',
        `The snapshot ${name} was made ${named.length} times, on different replicas.`,
        {
          hint: `Name one of the states by its vector: ${candidates.join(' or ')}.`,
          data: { candidates },
        },
      )
    }
    throw unknownSnapshot(
      name,
      refs.map((one) => textOf(fromLatin1(one.name))),
    )
  }

  async #described(refs: readonly Ref[]): Promise<Snapshot[]> {
    const { entries, versions } = this.#repository
    const holders = await versions.holding(refs)
    const describer = new Describer(entries, versions)
    const snapshots: Snapshot[] = []
    for (const ref of refs) {
      const version = holders.get(ref) ?? (await versions.expect(ref))
      const { tips } = await this.#state(ref)
      snapshots.push({
        name: textOf(fromLatin1(ref.name)),
        vector: vectorText(ref),
        versions: tips.map(({ id }) => toHex(id)),
        time: person(version.author).time,
        signer: await describer.signer(ref.stream),
      })
    }
    return snapshots
  }

  #state(ref: Ref): Promise<State> {
    return this.#repository.resolve(vectorText(ref))
  }
}

/** The vector of a snapshot as text. */
function vectorText({ value }: Ref): string {
  return (value.vector ?? []).map(({ seq, stream }) => `${formatStream(stream)}:${seq}`).join(',')
}

/**
 * The bytes of a new snapshot's name, as a binary string.
 *
 * @throws {CodedError} `NAME_BAD` for one that is empty, that people cannot read, or that means something else already.
 */
function parseName(name: string): string {
  const reason = badName(name)
  if (reason === undefined) return toLatin1(encodeUtf8(name))
  throw new CodedError('NAME_BAD', `${JSON.stringify(name)} cannot be the name of a snapshot: ${reason}.`, {
    hint: 'Use letters, digits, dots, dashes and slashes, as in before-the-move.',
  })
}

function badName(name: string): string | undefined {
  const bytes = encodeUtf8(name)
  if (name.trim() === '') return 'it is empty'
  if (name !== name.trim()) return 'it begins or ends with a space'
  if (bytes.length > NAME_LIMIT) return `it is longer than ${NAME_LIMIT} bytes`
  if (/\p{Cc}|[\u2028\u2029]/u.test(name)) return 'it has control characters in it'
  if (decodeUtf8(bytes) !== name) return 'it is not valid Unicode'
  if (name.startsWith('-')) return 'it begins with a dash, as options do'
  if (name.includes('..')) return 'it has two dots in a row'
  if (name === 'HEAD') return 'that is the current branch'
  if (parseVector(name) !== undefined) return 'it looks like a version vector'
  if (/^([0-9a-f]{40}|[0-9a-f]{64})$/i.test(name)) return 'it looks like the id of a version'
  return undefined
}

function unknownSnapshot(name: string, names: readonly string[]): CodedError {
  const near = names.filter((other) => other.includes(name) || name.includes(other))
  const shown = near.length > 0 ? near : names
  const more = shown.length > SHOWN ? `, and ${shown.length - SHOWN} more` : ''
  return new CodedError('V_UNKNOWN', `There is no snapshot ${JSON.stringify(name)}.`, {
    hint:
      shown.length === 0
        ? 'Make one with `weft snapshot create <name>`.'
        : `There are: ${shown.slice(0, SHOWN).join(', ')}${more}.`,
    data: { candidates: shown },
  })
}
