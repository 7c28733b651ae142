/**
 * One version in full: what it says, what names it, what it changed, and the patch.
 * @module
 */
import { decodeUtf8, fromLatin1, toHex } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import type { Version } from '../history/header.js'
import { type Ref, readRefs } from '../history/refs.js'
import { formatLseq } from '../lseq/lseq.js'
import { formatVector, Vector } from '../lseq/vector.js'
import { type Change, type Changes, changesOf, describeChange, type Place } from './changes.js'
import { contentsOf } from './contents.js'
import type { RepositoryContext } from './context.js'
import { type Describer, textOf } from './describe.js'
import { type ChangedContent, type FormatHunks, loadFormatter, needsContents, type Patch, patchOf } from './patch.js'
import type { VersionDetail } from './results.js'

/** Characters of a patch from which on files are only said to differ: a string cannot be of any length. */
const PATCH_LIMIT = 1 << 28

/**
 * The version that `name` means.
 *
 * @throws {CodedError} `V_UNKNOWN`; `V_AMBIGUOUS` for a state that no one version stands for.
 */
export async function showVersion(
  repository: RepositoryContext,
  describer: Describer,
  name: string,
): Promise<VersionDetail> {
  const { version, tips } = await repository.resolve(name)
  if (version === undefined) {
    const candidates = tips.map(({ id }) => toHex(id))
    throw new CodedError('V_AMBIGUOUS', `${name} is a state of ${tips.length} versions at once.`, {
      hint: `Show one of them: ${candidates.map((id) => id.slice(0, 12)).join(', ')}.`,
      data: { candidates },
    })
  }
  const changes = await changesOf(repository, version)
  const patches = await patchesOf(repository, changes)
  return {
    ...(await describer.info(version)),
    names: await namesOf(repository, version, changes.to),
    changes: changes.changes.map((change, i) =>
      describeChange(change, patches[i]?.binary === true || isChunked(change)),
    ),
    patch: patches.map(({ text }) => text).join(''),
  }
}

/** Branches, tags and snapshots that name a version and nothing else. */
async function namesOf({ entries, versions }: RepositoryContext, version: Version, vector: Vector): Promise<string[]> {
  const own = formatLseq(version.last, version.stream)
  const whole = formatVector(vector, versions.streams)
  const names = ({ value }: Ref): boolean => {
    if (value.version !== undefined) return formatLseq(value.version.seq, value.version.stream) === own
    if (value.vector === undefined) return false
    const { streams } = versions
    const named = value.vector.reduce((v, { seq, stream }) => v.with(streams.slot(stream), seq), Vector.empty)
    return formatVector(named, streams) === whole
  }
  return (await readRefs(entries)).filter(names).map(({ name }) => textOf(fromLatin1(name)))
}

function isChunked({ before, after }: Change): boolean {
  return before?.entry.chunked === true || after?.entry.chunked === true
}

/** The patches of the changes, in their order. */
async function patchesOf(repository: RepositoryContext, { changes, from, to }: Changes): Promise<Patch[]> {
  if (changes.length === 0) return []
  const differing = changes.filter(needsContents)
  const olds = await textsOf(
    repository,
    differing.flatMap(({ before }) => before ?? []),
    from,
  )
  const news = await textsOf(
    repository,
    differing.flatMap(({ after }) => after ?? []),
    to,
  )
  const format = await loadFormatter()
  const patches: Patch[] = []
  let length = 0
  for (const change of changes) {
    const { before, after } = change
    const full = length > PATCH_LIMIT
    const old = before === undefined ? NOTHING : full ? undefined : olds.get(before.path)
    const now = after === undefined ? NOTHING : full ? undefined : news.get(after.path)
    const patch = textPatch({ ...change, old, now }, format)
    length += patch.text.length
    patches.push(patch)
  }
  return patches
}

/** A patch that is text: what is not UTF-8 is only said to differ. */
function textPatch(change: ChangedContent, format: FormatHunks): Patch {
  const patch = patchOf(change, format)
  const text = decodeUtf8(fromLatin1(patch.text))
  return text === undefined ? patchOf({ ...change, old: undefined, now: undefined }, format) : { ...patch, text }
}

const NOTHING = new Uint8Array(0)

/** The contents of those places that are kept as lines, by path. */
async function textsOf(
  { entries, versions }: RepositoryContext,
  places: readonly Place[],
  vector: Vector,
): Promise<Map<string, Uint8Array>> {
  const texts = new Map<string, Uint8Array>()
  const inLines = places.filter(({ entry }) => !entry.chunked)
  for await (const { state, content } of contentsOf({ entries, streams: versions.streams }, inLines, vector)) {
    texts.set(state.path, content)
  }
  return texts
}
