/**
 * What a person may write where a version is wanted, and what it means.
 *
 * In this order: a branch, tag or snapshot by name (`HEAD` is the current branch); a version vector as text; a version's
 * id or a git commit's id, or the beginning of one; an ISO time, which means the last version of the current branch that
 * was committed by then. Any of those may have steps into the past behind it, as in git: `~` or `^` is the first parent,
 * `~3` that of that of that, `^2` the second parent.
 * @module
 */
import { encodeUtf8, fromHex, fromLatin1, toHex, toLatin1 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import type { Version } from '../history/header.js'
import { REF_KINDS } from '../history/keys.js'
import { isDeletion, type Ref, readRefs } from '../history/refs.js'
import type { Versions } from '../history/versions.js'
import type { EntryStore } from '../lseq/entries.js'
import { formatLseq, formatStream, type Lseq } from '../lseq/lseq.js'
import { formatVector, parseVector, Vector } from '../lseq/vector.js'
import { gitId, textOf } from './describe.js'
import type { Head } from './layout.js'
import { ancestors } from './log.js'

/** A state of the repository: what is covered, and the version that stands for it where one does. */
export interface State {
  readonly vector: Vector
  readonly version: Version | undefined
  /** Versions at the tips of the vector. */
  readonly tips: readonly Version[]
}

/** Where names are looked up. */
export interface ResolveContext {
  readonly entries: EntryStore
  readonly versions: Versions
  /** Where the work tree stands. */
  readonly head: () => Promise<Head>
}

const SHOWN = 8

/**
 * The state that `text` names; the current branch for undefined.
 *
 * @throws {CodedError} `V_UNKNOWN` and `V_AMBIGUOUS`, naming what there is.
 */
export async function resolve(context: ResolveContext, text: string | undefined): Promise<State> {
  if (text === undefined || text === 'HEAD') return currentState(context)
  return (
    (await byName(context, text)) ??
    (await byVector(context, text)) ??
    (await byId(context, text)) ??
    (await byTime(context, text)) ??
    (await bySteps(context, text)) ??
    unknown(context, text)
  )
}

const STEPS = /^(.+?)((?:~\d*|\^\d*)+)$/s

/** A version and steps into its past. */
async function bySteps(context: ResolveContext, text: string): Promise<State | undefined> {
  const [, from, steps = ''] = STEPS.exec(text) ?? []
  if (from === undefined) return undefined
  let { version } = await resolve(context, from)
  if (version === undefined) throw new CodedError('V_UNKNOWN', `${from} is no single version, so it has no parents.`)
  for (const [, kind, digits] of steps.matchAll(/([~^])(\d*)/g)) {
    const n = digits === '' ? 1 : Number(digits)
    for (let i = 0; i < (kind === '~' ? n : Math.min(n, 1)); i++) {
      const parent: Lseq | undefined = version.parents[kind === '~' ? 0 : n - 1]
      if (parent === undefined) {
        const short = toHex(version.id).slice(0, 12)
        const which = version.parents.length === 0 ? 'no parents' : `no parent ${n}`
        throw new CodedError('V_UNKNOWN', `${text} goes back too far: ${short} has ${which}.`)
      }
      version = await context.versions.expect(parent)
    }
  }
  return stateOf(context.versions, version)
}

/** The current branch; of several heads that it has, the one on which the work tree stands. Without a branch that version. */
async function currentState(context: ResolveContext): Promise<State> {
  const { branch, version } = await context.head()
  if (branch === undefined && version === undefined) {
    throw new CodedError('V_UNKNOWN', 'There is no current branch yet.', { hint: 'Name a version with --at.' })
  }
  const found = branch === undefined ? undefined : await byName(context, branch, { branchesOnly: true, at: version })
  const state = found ?? (branch === undefined && version !== undefined ? await byId(context, version) : undefined)
  if (state !== undefined) return state
  throw new CodedError('V_UNKNOWN', `The current branch ${branch} has no versions yet.`, {
    hint: '`weft commit` makes the first one.',
  })
}

/** The state at one version. */
export async function stateOf(versions: Versions, version: Version): Promise<State> {
  const vector = await versions.vectorOf({ seq: version.last, stream: version.stream })
  return { vector, version, tips: [version] }
}

/** The state in which the given versions and all their pasts count. */
async function stateAt(versions: Versions, lseqs: readonly Lseq[]): Promise<State> {
  const reached: { version: Version; vector: Vector }[] = []
  for (const lseq of lseqs) {
    const version = await versions.expect(lseq)
    const { vector } = await stateOf(versions, version)
    reached.push({ version, vector })
  }
  const vector = reached.reduce((join, { vector: own }) => join.join(own), Vector.empty)
  const tips = reached.filter(
    ({ version: { last, stream } }, i) =>
      !reached.some((other, j) => i !== j && other.vector.covers(versions.streams.slot(stream), last)),
  )
  const [only] = tips
  return { vector, version: tips.length === 1 ? only?.version : undefined, tips: tips.map(({ version }) => version) }
}

/**
 * @param options - `branchesOnly`: no tags and no snapshots. `at`: hex id of the version that is meant where a branch has
 *   several heads.
 */
async function byName(
  context: ResolveContext,
  text: string,
  { branchesOnly = false, at }: { branchesOnly?: boolean; at?: string | undefined } = {},
): Promise<State | undefined> {
  const name = toLatin1(encodeUtf8(text))
  const refs = (await readRefs(context.entries)).filter((ref) => !isDeletion(ref.value))
  const exact = refs.filter((ref) => ref.name === name)
  // A name that is not UTF-8 is written as it is shown.
  const named = exact.length > 0 ? exact : refs.filter((ref) => textOf(fromLatin1(ref.name)) === text)
  for (const kind of branchesOnly ? (['b'] as const) : (['b', 't', 's'] as const)) {
    const all = named.filter((ref) => ref.kind === kind)
    const meant = all.find(({ value }) => value.version !== undefined && toHex(value.version.id) === at)
    const heads = meant === undefined ? all : [meant]
    if (heads.length > 1) {
      throw new CodedError(
        'V_AMBIGUOUS',
        `The ${REF_KINDS[kind]} ${text} stands at ${heads.length} versions at once.`,
        {
          hint: `Name one of them: ${heads.map(targetOf).join(', ')}.`,
          data: { candidates: heads.map(targetOf) },
        },
      )
    }
    const value = heads[0]?.value
    if (value?.version !== undefined) return stateOf(context.versions, await context.versions.expect(value.version))
    if (value?.vector !== undefined) return stateAt(context.versions, value.vector)
    if (value !== undefined) {
      throw new CodedError(
        'V_UNKNOWN',
        `The tag ${text} names a git ${value.gitObject?.type ?? 'object'}, not a version.`,
      )
    }
  }
  return undefined
}

function targetOf({ value, seq, stream }: Ref): string {
  return value.version === undefined ? formatLseq(seq, stream) : toHex(value.version.id).slice(0, 12)
}

/** A vector's seqs need not be the last of a version: each counts as the version that took it, or the one before. */
async function byVector({ versions }: ResolveContext, text: string): Promise<State | undefined> {
  const pairs = parseVector(text)
  if (pairs === undefined) return undefined
  const tips: Lseq[] = []
  for (const { seq, stream } of pairs) {
    const at = await versions.atOrBefore({ seq, stream })
    if (at === undefined) {
      throw new CodedError('V_UNKNOWN', `The stream ${formatStream(stream)} has no version up to seq ${seq} here.`, {
        hint: '`weft log --json` shows stream and seq of every version.',
      })
    }
    tips.push(at)
  }
  return stateAt(versions, tips)
}

async function byId({ versions }: ResolveContext, text: string): Promise<State | undefined> {
  if (!/^[0-9a-fA-F]{4,64}$/.test(text)) return undefined
  const wanted = text.toLowerCase()
  const whole = fromHex(wanted.length % 2 === 0 ? wanted : wanted.slice(0, -1)) as Uint8Array
  const found = [
    ...(await versions.withId('v', whole, (version) => toHex(version.id).startsWith(wanted))),
    ...(await versions.withId('g', whole, (version, exported) =>
      (gitId(version) ?? toHex(exported)).startsWith(wanted),
    )),
  ]
  if (found.length > 1) {
    const names: string[] = []
    for (const version of found) names.push(`${toHex(version.id).slice(0, 12)} (${await subject(versions, version)})`)
    throw new CodedError('V_AMBIGUOUS', `${found.length} versions begin with ${text}.`, {
      hint: `Write more of the id. They are: ${listSome(names)}.`,
      data: { candidates: found.map((version) => toHex(version.id)) },
    })
  }
  return found[0] && stateOf(versions, found[0])
}

async function byTime(context: ResolveContext, text: string): Promise<State | undefined> {
  if (!/^\d{4}-\d\d(-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?\s?(Z|[+-]\d\d:?\d\d)?)?)?$/.test(text)) return undefined
  const time = Date.parse(text.replace(' ', 'T')) / 1000
  if (Number.isNaN(time)) return undefined
  const { tips } = await currentState(context)
  for await (const ancestor of ancestors(context.versions, tips)) {
    if (ancestor.committer.time <= time) return stateOf(context.versions, ancestor)
  }
  throw new CodedError('V_UNKNOWN', `The current branch has no version as old as ${text}.`, {
    hint: '`weft log` shows what there is.',
  })
}

async function unknown({ entries }: ResolveContext, text: string): Promise<never> {
  const refs = (await readRefs(entries)).filter(({ value }) => !isDeletion(value))
  const names = [...new Set(refs.map(({ name }) => textOf(fromLatin1(name))))]
  const near = names.filter((name) => name.includes(text) || text.includes(name))
  const shown = near.length > 0 ? near : names
  throw new CodedError('V_UNKNOWN', `No version matches ${JSON.stringify(text)}.`, {
    hint:
      shown.length === 0
        ? '`weft log` shows the versions there are.'
        : `Give a version id, a git commit id, an ISO time, a vector, or a name: ${listSome(shown)}.`,
    data: { candidates: shown },
  })
}

function listSome(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN).join(', ')
  return names.length > SHOWN ? `${shown}, and ${names.length - SHOWN} more` : shown
}

async function subject(versions: Versions, version: Version): Promise<string> {
  return textOf((await versions.note(version)).message).split('\n', 1)[0] ?? ''
}

/** A state as text: the version's id, or the vector where no one version stands for it. */
export function formatState(state: State, versions: Versions): string {
  return state.version === undefined ? formatVector(state.vector, versions.streams) : toHex(state.version.id)
}
