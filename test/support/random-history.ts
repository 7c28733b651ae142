/**
 * Random little git histories: branches, merges of two and three, evil ones too, renames, files that go and come back,
 * last lines without a newline, contents that turn from text to bytes and back.
 * @module
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { git } from './git.js'
import type { Random } from './random.js'
import { temporary } from './temp.js'

/** Path -> content, both binary strings. */
export type RandomFiles = ReadonlyMap<string, string>

/** A commit and what it holds. */
export interface RandomCommit {
  /** git's id. */
  readonly id: string
  readonly parents: readonly number[]
  readonly files: RandomFiles
}

/** A history and the bare repository that it is in. */
export interface RandomHistory {
  readonly dir: string
  readonly commits: readonly RandomCommit[]
}

type Draft = Omit<RandomCommit, 'id'>

const PATHS = ['a', 'b', 'd/a', 'd/b', 'd/e/f', 'd']
const LINES = ['one\n', 'two\n', 'three\n', '}\n', '\n', '\n', '  x\n', 'y\r\n', 'caf\xe9\n']

/** Makes a history of so many commits with git itself. */
export function randomHistory(count: number, chance: Random): RandomHistory {
  const drafts: Draft[] = []
  for (let i = 0; i < count; i++) drafts.push(draft(drafts, chance))
  const dir = join(temporary('history'), 'random.git')
  git('.', ['init', '-q', '--bare', dir])
  git(dir, ['fast-import', '--quiet', '--export-marks=marks'], Buffer.from(stream(drafts), 'latin1'))
  const marks = readFileSync(join(dir, 'marks'), 'latin1')
  const ids = new Map([...marks.matchAll(/^:(\d+) ([0-9a-f]+)$/gm)].map(([, mark, id]) => [Number(mark), id as string]))
  return { dir, commits: drafts.map((each, i) => ({ ...each, id: ids.get(i + 1) as string })) }
}

function draft(drafts: readonly Draft[], chance: Random): Draft {
  const parents = drafts.length === 0 || chance.below(20) === 0 ? [] : someParents(drafts.length, chance)
  const files = new Map(
    joined(
      parents.map((parent) => (drafts[parent] as Draft).files),
      chance,
    ),
  )
  const changes = parents.length > 1 ? chance.below(2) : 1 + chance.below(3)
  for (let i = 0; i < changes; i++) change(files, chance)
  return { parents, files }
}

/** One to three of the last few commits. */
function someParents(count: number, chance: Random): number[] {
  const wanted = chance.below(3) === 0 ? 2 + chance.below(2) : 1
  const parents = Array.from({ length: wanted }, () => count - 1 - chance.below(Math.min(4, count)))
  return [...new Set(parents)]
}

/** Path by path what one of the parents has, or the lines of both. */
function joined(sides: readonly RandomFiles[], chance: Random): [path: string, content: string][] {
  const paths = [...new Set(sides.flatMap((files) => [...files.keys()]))].sort()
  const found: [string, string][] = []
  for (const path of paths) {
    const side = sides[chance.below(sides.length)] as RandomFiles
    const other = sides[chance.below(sides.length)] as RandomFiles
    const [one, two] = [side.get(path), other.get(path)]
    if (one === undefined) continue
    if (collides(path, new Map(found))) continue
    found.push([path, two !== undefined && chance.below(3) === 0 ? one + two.slice(two.length >> 1) : one])
  }
  return found
}

function change(files: Map<string, string>, chance: Random): void {
  const path = PATHS[chance.below(PATHS.length)] as string
  const old = files.get(path)
  switch (old === undefined ? 0 : chance.below(6)) {
    case 0:
      if (!collides(path, files)) files.set(path, chance.below(12) === 0 ? `\0${chance.below(9)}` : edited('', chance))
      break
    case 1:
      files.delete(path)
      break
    case 2: {
      const to = PATHS[chance.below(PATHS.length)] as string
      files.delete(path)
      if (collides(to, files)) files.set(path, old as string)
      else files.set(to, chance.below(2) === 0 ? (old as string) : edited(old as string, chance))
      break
    }
    default:
      files.set(path, edited(old as string, chance))
  }
}

/** Whether a path cannot be a file beside those there are, because it or one of them would be a directory. */
function collides(path: string, files: RandomFiles): boolean {
  return [...files.keys()].some((other) => other.startsWith(`${path}/`) || path.startsWith(`${other}/`))
}

function edited(text: string, chance: Random): string {
  const lines = text.split(/(?<=\n)/)
  for (let i = 0; i <= chance.below(3); i++) {
    const news = Array.from({ length: chance.below(4) }, () => LINES[chance.below(LINES.length)] as string)
    lines.splice(chance.below(lines.length + 1), chance.below(3), ...news)
  }
  const whole = lines.join('')
  return chance.below(5) === 0 ? whole.replace(/\n$/, '') : whole
}

/** What `git fast-import` reads: every commit with all its files, and a branch for every commit without children. */
function stream(drafts: readonly Draft[]): string {
  let text = ''
  for (const [i, { parents, files }] of drafts.entries()) {
    text += `commit refs/heads/t${i}\nmark :${i + 1}\ncommitter Ana <ana@example.org> ${1_700_000_000 + i} +0000\n`
    text += `data 2\n${String(i % 100).padStart(2, '0')}\n`
    text += parents.map((parent, k) => `${k === 0 ? 'from' : 'merge'} :${parent + 1}\n`).join('')
    text += 'deleteall\n'
    for (const [path, content] of files) text += `M 100644 inline ${path}\ndata ${content.length}\n${content}\n`
  }
  const known = new Set(drafts.flatMap(({ parents }) => parents))
  for (const i of drafts.keys()) if (known.has(i)) text += `reset refs/heads/t${i}\nfrom ${'0'.repeat(40)}\n\n`
  return text
}
