/**
 * Branches and tags, as lists tell of them.
 * @module
 */
import { fromLatin1, toHex } from '../base/bytes.js'
import { refOf, type Version, type VersionRef } from '../history/header.js'
import { isDeletion, type Ref, readRefs } from '../history/refs.js'
import type { Versions } from '../history/versions.js'
import type { Vector } from '../lseq/vector.js'
import type { RepositoryContext } from './context.js'
import { person, textOf } from './describe.js'
import { ancestors } from './log.js'
import type { BranchInfo, TagInfo } from './results.js'

/**
 * All branches, in order of their names.
 *
 * @param current - Name of the current branch.
 * @param against - What to compare with.
 */
export async function listBranches(
  { entries, versions }: RepositoryContext,
  current: string | undefined,
  against: Vector | undefined,
): Promise<BranchInfo[]> {
  const branches: BranchInfo[] = []
  for (const [name, refs] of await named(entries, 'b')) {
    const heads = refs.flatMap(({ value: { version } }) => version ?? [])
    const [first] = heads
    if (first === undefined) continue
    const version = await versions.expect(first)
    const vector = await joined(versions, heads)
    branches.push({
      name,
      current: name === current,
      heads: heads.map(({ id }) => toHex(id)),
      subject: textOf((await versions.note(version)).message).split('\n', 1)[0] ?? '',
      time: person(version.committer).time,
      ahead: against === undefined ? 0 : await countBeyond(versions, vector, heads, against),
      behind: against === undefined ? 0 : await countBeyondVector(versions, against, vector),
    })
  }
  return branches
}

/** All tags, in order of their names. */
export async function listTags({ entries }: Pick<RepositoryContext, 'entries'>): Promise<TagInfo[]> {
  return [...(await named(entries, 't'))].map(([name, refs]) => {
    const said = refs.map(({ value }) => messageOf(value)).find((message) => message !== undefined)
    return {
      name,
      versions: refs.flatMap(({ value: { version } }) => (version === undefined ? [] : [toHex(version.id)])),
      ...(said === undefined ? {} : { message: said }),
    }
  })
}

/** What a tag says: its own message, or that of the git tag object. */
function messageOf({ message, gitTags }: Ref['value']): string | undefined {
  if (message !== undefined) return textOf(message)
  const [tag] = gitTags ?? []
  if (tag === undefined) return undefined
  const text = textOf(tag)
  const at = text.indexOf('\n\n')
  return at < 0 ? undefined : text.slice(at + 2).replace(/-----BEGIN [\s\S]*$/, '')
}

async function named(entries: RepositoryContext['entries'], kind: 'b' | 't'): Promise<Map<string, Ref[]>> {
  const byName = new Map<string, Ref[]>()
  for (const ref of await readRefs(entries, kind)) {
    if (isDeletion(ref.value)) continue
    const name = textOf(fromLatin1(ref.name))
    byName.set(name, [...(byName.get(name) ?? []), ref])
  }
  return byName
}

async function joined(versions: Versions, heads: readonly VersionRef[]): Promise<Vector> {
  const [first, ...others] = heads
  let vector = await versions.vectorOf(first as VersionRef)
  for (const head of others) vector = vector.join(await versions.vectorOf(head))
  return vector
}

/** How many versions `heads` and their past have that `other` does not cover. Walks over those only. */
async function countBeyond(
  versions: Versions,
  vector: Vector,
  heads: readonly VersionRef[],
  other: Vector,
): Promise<number> {
  if (other.includes(vector)) return 0
  const { streams } = versions
  const isNew = ({ seq, stream }: VersionRef) => !other.covers(streams.slot(stream), seq)
  const tips: Version[] = []
  for (const head of heads) if (isNew(head)) tips.push(await versions.expect(head))
  let count = 0
  for await (const _ of ancestors(versions, tips, isNew)) count++
  return count
}

/** The same for a vector of which the heads are not known: those at the tips of its streams. */
async function countBeyondVector(versions: Versions, vector: Vector, other: Vector): Promise<number> {
  const { streams } = versions
  const heads: VersionRef[] = []
  for (const [slot, seq] of vector.entries()) {
    if (other.covers(slot, seq)) continue
    const version = await versions.holder({ seq, stream: streams.id(slot) })
    if (version !== undefined) heads.push(refOf(version))
  }
  return countBeyond(versions, vector, heads, other)
}
