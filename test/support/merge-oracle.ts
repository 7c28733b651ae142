/**
 * Merging as one would explain it: a walk over all lines there ever were, each an object that knows who put and who deleted
 * it. Slow, and without the second look by text that real merging takes where both sides changed something.
 * @module
 */
import type { FileHistory, ModelLine } from './file-model.js'

/** Lines between two that all three versions share. */
export interface OracleGroup {
  readonly kind: 'shared' | 'left' | 'right' | 'same' | 'conflict'
  readonly base: readonly string[]
  readonly left: readonly string[]
  readonly right: readonly string[]
}

/** What two versions of a file and their common past come to; undefined where lines were put again elsewhere. */
export function oracleMerge(
  file: FileHistory,
  left: ReadonlySet<number>,
  right: ReadonlySet<number>,
): OracleGroup[] | undefined {
  const [inBase, inLeft, inRight] = [intersection(left, right), left, right].map(
    (past) => new Set(file.alive(past)),
  ) as [Set<ModelLine>, Set<ModelLine>, Set<ModelLine>]
  const visible = file.lines.filter((line) => inBase.has(line) || inLeft.has(line) || inRight.has(line))
  if (new Set(visible.map(({ identity }) => identity)).size < visible.length) return undefined
  const groups: OracleGroup[] = []
  let group: ModelLine[] = []
  const close = (): void => {
    if (group.length === 0) return
    const texts = (set: ReadonlySet<ModelLine>) => group.filter((line) => set.has(line)).map(({ text }) => text)
    const changedBy = (set: ReadonlySet<ModelLine>) => group.some((line) => set.has(line) !== inBase.has(line))
    const three = { base: texts(inBase), left: texts(inLeft), right: texts(inRight) }
    const same = three.left.join('|') === three.right.join('|')
    const both = same ? 'same' : 'conflict'
    groups.push({ kind: !changedBy(inLeft) ? 'right' : !changedBy(inRight) ? 'left' : both, ...three })
    group = []
  }
  for (const line of visible) {
    if (inBase.has(line) && inLeft.has(line) && inRight.has(line)) {
      close()
      groups.push({ kind: 'shared', base: [line.text], left: [line.text], right: [line.text] })
    } else group.push(line)
  }
  close()
  return groups
}

/** Numbers in both sets. */
export function intersection(a: ReadonlySet<number>, b: ReadonlySet<number>): Set<number> {
  return new Set([...a].filter((one) => b.has(one)))
}
