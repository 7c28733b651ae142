/**
 * Branches and tags in words.
 * @module
 */
import type { BranchInfo, TagInfo } from '../repo/results.js'
import type { RefReport } from '../worktree/branches.js'
import { columns, shortId } from './format.js'
import type { Style } from './style.js'

/** What was asked for, to say what there is none of. */
interface Asked {
  /** Name of the current branch. */
  readonly current?: string | undefined
  readonly pattern?: string | undefined
}

/** One line per branch: whether it is the current one, name, head, how far apart, what it says. */
export function formatBranches(branches: readonly BranchInfo[], { current, pattern }: Asked, style: Style): string {
  const { bold, safe } = style
  if (branches.length === 0) {
    if (pattern !== undefined) return `No branch is called ${safe(pattern)}.\n`
    return current === undefined
      ? 'There are no branches yet.\n'
      : `${safe(current)} has no versions yet: weft commit makes the first.\n`
  }
  return columns(
    branches.map((branch) => [
      `${branch.current ? '*' : ' '} ${branch.current ? bold(safe(branch.name)) : safe(branch.name)}`,
      branch.heads.map(shortId).join(' '),
      distance(branch),
      safe(branch.subject),
    ]),
  )
}

function distance({ ahead, behind, heads }: BranchInfo): string {
  const parts = [
    ...(ahead > 0 ? [`ahead ${ahead}`] : []),
    ...(behind > 0 ? [`behind ${behind}`] : []),
    ...(heads.length > 1 ? [`${heads.length} heads`] : []),
  ]
  return parts.length === 0 ? '' : `[${parts.join(', ')}]`
}

export function formatTags(tags: readonly TagInfo[], { pattern }: Asked, { safe }: Style): string {
  if (tags.length === 0) {
    return pattern === undefined
      ? 'There are no tags yet: weft tag <name> makes one.\n'
      : `No tag is called ${safe(pattern)}.\n`
  }
  return columns(
    tags.map(({ name, versions, message = '' }) => [
      safe(name),
      versions.length === 0 ? '-' : versions.map(shortId).join(' '),
      safe(message.trim().split('\n', 1)[0] ?? ''),
    ]),
  )
}

export function formatRef({ name, change, from, versions }: RefReport, { safe }: Style): string {
  const at = versions.map(shortId).join(', ')
  switch (change) {
    case 'created':
      return `Made ${safe(name)} at ${at}.\n`
    case 'renamed':
      return `Renamed ${safe(from ?? '')} to ${safe(name)}.\n`
    case 'deleted':
      return `Deleted ${safe(name)}, which was at ${at}. weft undo brings it back.\n`
  }
}
