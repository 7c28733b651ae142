/**
 * Whether a branch of an export's target may be set to what it is here: it only ever goes forward.
 * @module
 */
import { equalBytes, fromLatin1 } from '../base/bytes.js'
import type { Refusal } from '../repo/results.js'
import { bornCommit } from './born.js'
import { CatFile } from './cat-file.js'
import { parseCommit } from './commit.js'
import { type ExportRef, refusal, shown } from './export-refs.js'
import { binary } from './history.js'
import { readNotes, type StoredCommits } from './stored.js'
import type { Target } from './target.js'

/**
 * Commits at branches of the target that may well have been made of versions here by another replica: all that a commit
 * says but its tree and parents is what one of them says. Whether it is so is known when that version's commit is made.
 */
export async function likelyMade(
  stored: StoredCommits,
  { gitDir, refs }: Target,
  chosen: readonly ExportRef[],
): Promise<ReadonlySet<string>> {
  const likely = new Set<string>()
  const unnamed = stored.unnamed(chosen.flatMap(({ ref }) => ref.value.version ?? []))
  const ids = chosen.flatMap(({ name, isBranch }) => (isBranch ? (refs.get(name)?.id ?? []) : []))
  const strange = [...new Set(ids)].filter((id) => !stored.byCommit.has(binary(id)))
  if (unnamed.length === 0 || strange.length === 0) return likely
  const notes = await readNotes(stored.entries, unnamed)
  const objects = new CatFile({ gitDir, isHashed: true })
  try {
    for (const id of strange) {
      const { type, bytes } = await objects.read(id)
      if (type !== 'commit') continue
      const { tree, parents } = parseCommit(fromLatin1(binary(id)), bytes)
      if (unnamed.some((one) => equalBytes(bornCommit(one, notes(one), tree, parents), bytes))) likely.add(id)
    }
  } finally {
    await objects.close()
  }
  return likely
}

/**
 * Why a branch of the target must not be set to what it is here; undefined where it may, and for tags.
 *
 * @param likely - Hex ids of commits that may turn out to be known.
 */
export function notForward(
  stored: StoredCommits,
  target: Target,
  { name, isBranch, ref }: ExportRef,
  likely: ReadonlySet<string>,
): Refusal | undefined {
  const there = target.refs.get(name)?.id
  const { version } = ref.value
  if (!isBranch || there === undefined || version === undefined) return undefined
  const known = stored.byCommit.get(binary(there))
  if (known === undefined) {
    if (likely.has(there)) return undefined
    const message = `In git, ${shown(name)} has moved on to ${there.slice(0, 12)}, which is not here.`
    return refusal(name, 'GIT_NOT_FORWARD', message, {
      hint: '`weft git import` brings it in; then merge where both sides went on, and export again.',
    })
  }
  if (stored.reaches(stored.numberOf(version), known)) return undefined
  const message = `In git, ${shown(name)} is at ${there.slice(0, 12)}, which is not in its past here.`
  return refusal(name, 'GIT_NOT_FORWARD', message, {
    hint: 'An export only takes branches forward: `weft git import`, or set the branch in git by hand.',
  })
}
