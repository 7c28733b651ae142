/**
 * Branches and tags of a git source, and setting them here.
 *
 * An annotated tag is kept as the raw tag objects from the name inward, so that it can be written again with the same id;
 * a tag of a tree or blob keeps that one object too, because no version holds it.
 * @module
 */
import { equalBytes, fromLatin1, toLatin1 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { getOrMake } from '../base/map.js'
import { extraOf, GIT_EXTRA } from '../history/extra.js'
import type { Ident, VersionRef } from '../history/header.js'
import type { RefKind } from '../history/keys.js'
import { type RefChange, refEntries } from '../history/ref-log.js'
import { encodeRefValue, isDeletion, type Ref, type RefValue, readRefs } from '../history/refs.js'
import type { Writer } from '../history/replica.js'
import { Versions } from '../history/versions.js'
import type { EntryStore } from '../lseq/entries.js'
import { formatLseq, type Lseq } from '../lseq/lseq.js'
import { Streams, type Vector } from '../lseq/vector.js'
import { CatFile, type GitObject, type ObjectSource } from './cat-file.js'
import { versionOfCommit } from './exported.js'
import { binary } from './history.js'
import type { Source, SourceRef } from './source.js'

/** A ref of the source with what it names. */
export interface TargetRef {
  readonly kind: RefKind
  /** Short name, a binary string. */
  readonly name: string
  /** Hex id of the commit at its end; undefined for a tag of something else. */
  readonly commit: string | undefined
  readonly gitTags: readonly Uint8Array[]
  readonly gitObject: { readonly type: string; readonly content: Uint8Array } | undefined
}

/** Refs to import. */
export interface ImportRefs {
  readonly refs: readonly TargetRef[]
  /** Hex ids of the commits that they name. */
  readonly commits: readonly string[]
  readonly warnings: readonly string[]
}

/** A tag of a larger object than this is left out, with a warning: it is not history. */
const OBJECT_LIMIT = 16 * 1024 * 1024

const PREFIXES: readonly [prefix: string, kind: RefKind][] = [
  ['refs/heads/', 'b'],
  ['refs/tags/', 't'],
]

/**
 * The refs of the source that were asked for; all of them by default.
 *
 * @throws {CodedError} `REF_UNKNOWN` with the names there are.
 */
export function selectRefs(source: Source, wanted: readonly string[] | undefined): readonly SourceRef[] {
  if (wanted === undefined || wanted.length === 0) return source.refs
  const chosen = wanted.flatMap((name) => {
    const bytes = toLatin1(Buffer.from(name, 'utf8'))
    const found = source.refs.filter((ref) => [bytes, `refs/heads/${bytes}`, `refs/tags/${bytes}`].includes(ref.name))
    if (found.length > 0) return found
    const names = source.refs.map((ref) => shortName(ref).name)
    const some = names.slice(0, 10).join(', ') + (names.length > 10 ? `, and ${names.length - 10} more` : '')
    throw new CodedError('REF_UNKNOWN', `The source has no branch or tag ${JSON.stringify(name)}.`, {
      hint: names.length === 0 ? 'It has no branches and no tags.' : `It has: ${some}.`,
      data: { candidates: names },
    })
  })
  return [...new Set(chosen)]
}

function shortName(ref: SourceRef): { kind: RefKind; name: string } {
  for (const [prefix, kind] of PREFIXES) {
    if (ref.name.startsWith(prefix)) return { kind, name: ref.name.slice(prefix.length) }
  }
  throw new TypeError(`ref: expected a branch or a tag, got ${ref.name}`)
}

/** Follows every ref to what it names in the end. */
export async function readTargets(source: ObjectSource, refs: readonly SourceRef[]): Promise<ImportRefs> {
  const objects = new CatFile(source)
  const targets: TargetRef[] = []
  const warnings: string[] = []
  try {
    for (const ref of refs) {
      const { kind, name } = shortName(ref)
      const gitTags: Uint8Array[] = []
      let id = ref.id
      let object = await objects.read(id)
      while (object.type === 'tag') {
        gitTags.push(Uint8Array.from(object.bytes))
        id = tagTarget(object, id)
        object = await objects.read(id)
      }
      if (object.type === 'commit') targets.push({ kind, name, commit: id, gitTags, gitObject: undefined })
      else if (object.bytes.length > OBJECT_LIMIT) {
        warnings.push(`The tag ${name} names a ${object.type} of ${object.bytes.length} bytes and was left out.`)
      } else {
        const gitObject = { type: object.type, content: Uint8Array.from(object.bytes) }
        targets.push({ kind, name, commit: undefined, gitTags, gitObject })
      }
    }
  } finally {
    await objects.close()
  }
  const commits = targets.flatMap(({ commit }) => commit ?? [])
  return { refs: targets, commits: [...new Set(commits)], warnings }
}

function tagTarget({ bytes }: GitObject, id: string): string {
  const target = /^object ([0-9a-f]+)\n/.exec(toLatin1(bytes.subarray(0, 128)))?.[1]
  if (target === undefined) throw new CodedError('GIT_OBJECT_BAD', `The git tag ${id} names no object.`)
  return target
}

/** What became of the refs. */
export interface RefsOutcome {
  /** How many were set. */
  readonly set: number
  /** Short names of branches that both sides went on with: they stand at several versions now. Binary strings. */
  readonly diverged: readonly string[]
}

/**
 * Sets the refs here to what they are in the source, in one signed version; names that are so already are left alone.
 *
 * A branch never loses versions that were made here: one that is further here stays, and one with which both sides went
 * on stands at both afterwards.
 */
export async function importRefs(entries: EntryStore, targets: ImportRefs, writer: Writer): Promise<RefsOutcome> {
  const current = new Map<string, Ref[]>()
  for (const ref of await readRefs(entries)) {
    getOrMake(current, `${ref.kind}${ref.name}`, () => [] as Ref[]).push(ref)
  }
  const versions = new Versions(entries, new Streams())
  const changes: RefChange[] = []
  const diverged: string[] = []
  for (const target of targets.refs) {
    const { kind, name, commit, gitTags, gitObject } = target
    const version = commit === undefined ? undefined : await versionOf(versions, commit)
    const value: RefValue = {
      replaces: [],
      version,
      gitTags: gitTags.length > 0 ? gitTags : undefined,
      gitObject,
    }
    const heads = current.get(`${kind}${name}`) ?? []
    if (heads.length === 1 && sameTarget(heads[0] as Ref, value)) continue
    if (kind === 't' && version !== undefined && heads.some((head) => isMadeHere(head, value))) continue
    const kept = kind === 'b' && version !== undefined ? await headsToKeep(versions, heads, version) : []
    if (kept === undefined) {
      if (heads.filter((head) => !isDeletion(head.value)).length > 1) diverged.push(name)
      continue
    }
    if (kept.length > 0) diverged.push(name)
    changes.push({ kind, name, value: { ...value, replaces: heads.filter((head) => !kept.includes(head)) } })
  }
  if (changes.length === 0) return { set: 0, diverged }
  const ident: Ident = { name: fromLatin1('weft'), email: fromLatin1(''), time: Math.floor(Date.now() / 1000), zone: 0 }
  const added = await refEntries(entries, changes, { ...writer, ident, message: 'git import' })
  await entries.put(added, { operations: writer.replica.operations(added) })
  return { set: changes.length, diverged }
}

/**
 * Which heads of a branch have to stay beside a version that comes in: those with versions in their past that were made
 * here and that the new one does not know.
 *
 * @returns Undefined where one of them knows the new one already, so that there is nothing to do.
 */
async function headsToKeep(versions: Versions, heads: readonly Ref[], version: VersionRef): Promise<Ref[] | undefined> {
  const theirs = await versions.vectorOf(version)
  const slot = versions.streams.slot(version.stream)
  const kept: Ref[] = []
  for (const head of heads) {
    const ours = head.value.version
    if (ours === undefined) continue
    if ((await versions.vectorOf(ours)).covers(slot, version.seq)) return undefined
    if (await isBornApart(versions, ours, theirs)) kept.push(head)
  }
  return kept
}

/** Whether a version, or one in its past, was made here and is not covered. */
async function isBornApart(versions: Versions, from: Lseq, covered: Vector): Promise<boolean> {
  const seen = new Set<string>()
  const todo: Lseq[] = [from]
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const name = formatLseq(next.seq, next.stream)
    if (seen.has(name) || covered.covers(versions.streams.slot(next.stream), next.seq)) continue
    seen.add(name)
    const version = await versions.expect(next)
    if (extraOf(version, GIT_EXTRA) === undefined) return true
    todo.push(...version.parents)
  }
  return false
}

/** Whether a tag was made here and names what it names in git: then what it says is in git by an export. */
function isMadeHere({ value: { version, gitTags, message } }: Ref, there: RefValue): boolean {
  if (gitTags !== undefined || version === undefined || there.version === undefined) return false
  return equalBytes(version.id, there.version.id) && (message !== undefined || there.gitTags === undefined)
}

function sameTarget(ref: Ref, value: RefValue): boolean {
  return equalBytes(encodeRefValue({ ...ref.value, replaces: [] }), encodeRefValue(value))
}

async function versionOf(versions: Versions, commit: string): Promise<VersionRef> {
  const found = await versionOfCommit(versions, fromLatin1(binary(commit)))
  if (found === undefined) throw new CodedError('VERSION_MISSING', `The git commit ${commit} has not been imported.`)
  return { seq: found.last, stream: found.stream, id: found.id }
}
