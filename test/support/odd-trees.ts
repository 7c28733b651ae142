/**
 * Small trees with all that makes patches hard: odd names, links, modes, renames, lines that look like those of patches.
 * @module
 */
import { createHash } from 'node:crypto'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fromLatin1 } from '../../src/base/bytes.js'
import { type ChangedContent, loadFormatter, patchOf } from '../../src/repo/patch.js'
import { filesBelow } from './disk.js'
import type { Random } from './random.js'

/** Files by path; paths and contents are binary strings. */
export type Tree = Map<string, { mode: number; data: string }>

export const FILE = 0o100644
export const EXECUTABLE = 0o100755
export const LINK = 0o120000

const NAMES = [
  'a',
  'b.txt',
  'dir/c',
  'dir/deep/d e f',
  ' leading and trailing ',
  'quote"d',
  'back\\slash',
  'tab\there',
  'new\nline',
  'caf\xe9',
  'na\xc3\xafve',
  'b/b b/b',
  'a => b',
  '-- x',
  '@@ y',
]

const LINES = [
  'one\n',
  'two\n',
  '\n',
  '\n',
  'crlf\r\n',
  '-- dashes\n',
  '++ pluses\n',
  '--- a/x\n',
  '+++ b/x\n',
  '@@ -1 +1 @@\n',
  'diff --git a/x b/x\n',
  '\\ No newline at end of file\n',
  '\xff\xfe raw\n',
  '\xc3\xa9\n',
  ' indented\n',
  '\ttabbed \n',
  '}\n',
]

function pick<T>(chance: Random, from: readonly T[]): T {
  return from[chance.below(from.length)] as T
}

function randomText(chance: Random): string {
  let text = ''
  for (let i = chance.below(30); i > 0; i--) text += chance.below(3) === 0 ? `line ${i}\n` : pick(chance, LINES)
  return chance.below(4) === 0 ? text.replace(/\n$/, '') : text
}

function edited(chance: Random, text: string): string {
  const lines = text.split(/(?<=\n)/)
  for (let i = 1 + chance.below(3); i > 0; i--) {
    lines.splice(chance.below(lines.length + 1), chance.below(3), ...(chance.below(3) > 0 ? [pick(chance, LINES)] : []))
  }
  const joined = lines.map((line, i) => (i < lines.length - 1 && !line.endsWith('\n') ? `${line}\n` : line)).join('')
  return chance.below(6) === 0 ? joined.replace(/\n$/, '') : joined
}

export function randomTree(chance: Random): Tree {
  const tree: Tree = new Map()
  for (const name of NAMES) {
    if (chance.below(3) === 0) continue
    const mode = pick(chance, [FILE, FILE, FILE, EXECUTABLE, LINK])
    tree.set(name, { mode, data: mode === LINK ? `target ${chance.below(9)}` : randomText(chance) })
  }
  return tree
}

/** A tree that grew out of another, and which path of it was which before. */
export function changedTree(chance: Random, before: Tree): { after: Tree; moves: Map<string, string> } {
  const after: Tree = new Map()
  const moves = new Map<string, string>()
  const free = NAMES.filter((name) => !before.has(name))
  for (const [path, { mode, data }] of before) {
    const what = chance.below(12)
    const target = free.pop()
    if (what === 0) continue
    if (what === 1 && target !== undefined) {
      after.set(target, { mode, data: mode === LINK || chance.below(2) === 0 ? data : edited(chance, data) })
      moves.set(target, path)
    } else if (what === 2 && mode !== LINK) after.set(path, { mode: mode ^ 0o111, data })
    else if (what === 3) after.set(path, { mode: mode === LINK ? FILE : LINK, data: 'elsewhere' })
    else if (what < 6) after.set(path, { mode, data })
    else after.set(path, { mode, data: mode === LINK ? `target ${chance.below(9)}` : edited(chance, data) })
    if (target !== undefined && !moves.has(target)) free.push(target)
  }
  for (const path of free) {
    if (chance.below(3) === 0) after.set(path, { mode: pick(chance, [FILE, EXECUTABLE, LINK]), data: 'new file\n' })
    if (chance.below(9) === 0) after.set(path, { mode: FILE, data: '' })
  }
  return { after, moves }
}

export const format = await loadFormatter()

/** What differs between two trees, in the order of paths. */
export function changesBetween(before: Tree, after: Tree, moves: ReadonlyMap<string, string>): ChangedContent[] {
  const side = (tree: Tree, path: string) => {
    const file = tree.get(path)
    if (file === undefined) return undefined
    const content = fromLatin1(file.data)
    const sha256 = createHash('sha256').update(content).digest()
    return { side: { path, entry: { mode: file.mode, size: content.length, sha256 } }, content }
  }
  const moved = new Set(moves.values())
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort()
  const changes: ChangedContent[] = []
  for (const path of paths) {
    const from = moves.get(path) ?? path
    const now = side(after, path)
    const old = moves.has(path) || !moved.has(path) ? side(before, from) : undefined
    if (old === undefined && now === undefined) continue
    if (old && now && from === path && JSON.stringify(before.get(path)) === JSON.stringify(after.get(path))) continue
    const nothing = new Uint8Array(0)
    const [a, b] = [old?.content ?? nothing, now?.content ?? nothing]
    changes.push({ before: old?.side, after: now?.side, old: a, now: b })
  }
  return changes
}

/** The patch from one tree to another, a binary string. */
export function patchBetween(before: Tree, after: Tree, moves: ReadonlyMap<string, string>, context = 3): string {
  return changesBetween(before, after, moves)
    .map((change) => patchOf(change, format, context).text)
    .join('')
}

export function writeTree(dir: string, tree: Tree): void {
  for (const [path, { mode, data }] of tree) {
    const at = Buffer.concat([Buffer.from(`${dir}/`), fromLatin1(path)])
    mkdirSync(Buffer.from(dirname(at.toString('latin1')), 'latin1'), { recursive: true })
    if (mode === LINK) symlinkSync(Buffer.from(fromLatin1(data)), at)
    else writeFileSync(at, fromLatin1(data), { mode: mode & 0o777 })
  }
}

/** A tree in a form that reads well when it is not the same. */
export function shown(tree: Tree): unknown {
  return [...tree].sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, { mode, data }]) => [path, mode.toString(8), data])
}

export function treeOn(dir: string): Tree {
  const files = [...filesBelow(dir)]
  return new Map(
    files.map(([path, { mode, data }]) => [path, { mode: Number.parseInt(mode, 8), data: data.toString('latin1') }]),
  )
}
