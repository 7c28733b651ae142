/**
 * Merges and conflicts in words.
 * @module
 */
import type { Conflict, ConflictKind, Region } from '../history/conflict.js'
import type { MergeReport } from '../worktree/merge.js'
import type { ResolveReport } from '../worktree/resolve.js'
import { count, shortId } from './format.js'
import { failureLines } from './format-work.js'
import type { Style } from './style.js'

/** Paths listed one by one. */
const SHOWN = 20

/** What each kind of conflict means. */
const MEANING: Record<ConflictKind, string> = {
  content: 'both sides changed the same lines',
  'add/add': 'both sides added it, with different contents',
  'edit/delete': 'one side changed it, the other deleted it',
  'rename/delete': 'one side moved it, the other deleted it',
  'rename/rename': 'both sides moved it, to different places',
  'two to one': 'both sides put a file here, not the same one',
  'file/directory': 'a file on one side is a directory on the other',
  mode: 'both sides changed what kind of file it is',
  binary: 'both sides changed it, and it is no text',
  symlink: 'both sides changed where the link points',
  submodule: 'both sides changed the commit of the submodule',
}

export function formatMerge(report: MergeReport, style: Style): string {
  const { safe } = style
  const lines = [headline(report, style)]
  lines.push(...conflictLines(report.conflicts, style))
  if (report.near.length > 0 && report.kind !== 'already') {
    const paths = report.near.map(({ path }) => safe(path))
    const some = paths.slice(0, 5).join(', ') + (paths.length > 5 ? ` and ${paths.length - 5} more` : '')
    lines.push(`Worth a look, both sides changed lines close to each other: ${some} (--json has the lines).`)
  }
  if (report.carried.length > 0)
    lines.push(`Unsaved changes were carried along: ${report.carried.map(safe).join(', ')}.`)
  lines.push(...failureLines(report.failures, safe))
  if (report.kind === 'conflicts')
    lines.push(
      'Edit them and weft resolve, or take a side with weft resolve --ours or --theirs; then weft commit. weft undo takes the merge back.',
    )
  if (report.kind === 'uncommitted') lines.push('weft commit makes the version.')
  return `${lines.join('\n')}\n`
}

function headline(
  { kind, from, branch, version, parents, files, conflicts }: MergeReport,
  { bold, safe }: Style,
): string {
  const name = safe(/^[0-9a-f]{64}$/.test(from) ? shortId(from) : from)
  const where = branch === undefined ? 'the work tree' : safe(branch)
  switch (kind) {
    case 'already':
      return `Nothing to merge: ${where} has all of ${name}.`
    case 'forward':
      return `${bold(`${where} ${shortId(version ?? '')}`)} moved forward${name === shortId(version ?? '') ? '' : ` to ${name}`}; ${count(files, 'file')} changed.`
    case 'merged':
      return `${bold(`${where} ${shortId(version ?? '')}`)} merged ${name}; ${count(files, 'file')} changed.`
    case 'uncommitted':
      return `Merged ${name} (${shortId(parents[1] ?? '')}) in the work tree; ${count(files, 'file')} changed.`
    case 'conflicts':
      return `Merging ${name} left ${count(conflicts.length, 'conflict')}; ${count(files, 'file')} changed.`
  }
}

/** A line for each of the first conflicts. */
export function conflictLines(conflicts: readonly Conflict[], style: Style): string[] {
  const lines = conflicts.slice(0, SHOWN).map((conflict) => conflictLine(conflict, style))
  return conflicts.length > SHOWN ? [...lines, `  and ${conflicts.length - SHOWN} more`] : lines
}

function conflictLine({ kind, path, regions, left, right }: Conflict, { red, safe }: Style): string {
  const at = regions.flatMap(({ markers }) => (markers ? [markers.start] : []))
  const lines = at.length === 0 ? '' : `, line ${at.slice(0, 6).join(', ')}${at.length > 6 ? ' ...' : ''}`
  const places = [left, right].map((stage) => (stage === undefined ? 'deleted' : safe(stage.path)))
  const moved = kind.startsWith('rename') || kind === 'two to one' ? ` (${places.join(' and ')})` : ''
  return `  ${red('conflict')} ${safe(path)}: ${MEANING[kind]}${moved}${lines}`
}

export function formatConflictList(conflicts: readonly Conflict[], style: Style): string {
  if (conflicts.length === 0) return 'There are no conflicts.\n'
  return conflicts
    .map(
      (conflict) =>
        `${[conflictLine(conflict, style), ...conflict.regions.flatMap((region) => whoLines(region, style))].join('\n')}\n`,
    )
    .join('')
}

/** Who had a part in a region, a line for each side. */
function whoLines({ markers, left, right }: Region, { dim, safe }: Style): string[] {
  const side = (name: string, { by }: Region['left']) =>
    by.length === 0
      ? []
      : [dim(`    ${name}: ${by.map(({ version, name: who }) => `${shortId(version)} ${safe(who)}`).join(', ')}`)]
  return markers === undefined ? [] : [...side('ours', left), ...side('theirs', right)]
}

export function formatResolve({ resolved, left, failures }: ResolveReport, { safe }: Style): string {
  const lines = [`Resolved: ${resolved.map(safe).join(', ')}.`, ...failureLines(failures, safe)]
  lines.push(left.length === 0 ? 'No conflicts are left: weft commit.' : `${count(left.length, 'conflict')} left.`)
  return `${lines.join('\n')}\n`
}
