/**
 * The rule of layers: imports point down, nothing goes round in a circle, and only the top layers touch the terminal.
 *
 * Type-only imports count like any other. The rule itself is tested too, on small made-up trees that break it.
 * @module
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { describe, it } from 'node:test'

const SOURCES = join(import.meta.dirname, '..', 'src')

/** Folders of `src` from the bottom up, and the barrel of the library, which stands between library and command line. */
const LAYERS = [
  'base',
  'crypto',
  'rdx',
  'lseq',
  'lines',
  'history',
  'repo',
  'git',
  'sync',
  'worktree',
  'server',
  'index.ts',
  'cli',
  'commands',
]

/** What belongs to a running program and not to a library. */
const PROGRAM = /\bprocess\.(argv|env|exit|exitCode|stdin|stdout|stderr|cwd|chdir)\b|\bconsole\./

/** Layers that may use it, and one file that hands the environment on to git. */
const PROGRAM_ALLOWED = ['cli', 'commands', 'git/process.ts']

/** Sources by path below `src`, with slashes. */
type Tree = ReadonlyMap<string, string>

/** Files with the files they import, by any form of import. */
type Graph = ReadonlyMap<string, readonly string[]>

/** `import ... from`, `export ... from`, `import '...'` at the start of a line, and `import('...')` anywhere. */
const IMPORTS = [
  /^\s*(?:import|export)\b[^'"]*?\bfrom\s*['"]([^'"]+)['"]/gm,
  /^\s*import\s*['"]([^'"]+)['"]/gm,
  /\bimport\(\s*['"]([^'"]+)['"]/g,
]

function graphOf(tree: Tree): Graph {
  return new Map(
    [...tree].map(([file, source]) => {
      const names = new Set(IMPORTS.flatMap((pattern) => [...source.matchAll(pattern)].map((match) => match[1] ?? '')))
      const own = [...names].filter((name) => name.startsWith('.')).map((name) => posix.join(posix.dirname(file), name))
      // What is compiled to WebAssembly names its imports without an ending.
      return [file, own.filter((name) => !name.startsWith('..')).map((name) => `${name.replace(/\.js$/, '')}.ts`)]
    }),
  )
}

function layerOf(file: string): string {
  return file.split('/')[0] ?? ''
}

/** Everything a tree does against the rule, one line each. */
function violations(tree: Tree): string[] {
  const graph = graphOf(tree)
  const found: string[] = []
  for (const [file, targets] of graph) {
    if (!LAYERS.includes(layerOf(file))) found.push(`${file}: ${layerOf(file)} is no layer`)
    for (const target of targets) {
      if (!tree.has(target)) found.push(`${file}: imports ${target}, which is not there`)
      if (LAYERS.indexOf(layerOf(target)) > LAYERS.indexOf(layerOf(file))) found.push(`${file}: imports up, ${target}`)
    }
  }
  for (const [file, source] of tree) {
    if (PROGRAM_ALLOWED.includes(layerOf(file)) || PROGRAM_ALLOWED.includes(file)) continue
    for (const line of source.split('\n')) {
      const use = /^\s*(\*|\/\/|\/\*)/.test(line) ? undefined : PROGRAM.exec(line)?.[0]
      if (use !== undefined) found.push(`${file}: uses ${use}`)
    }
  }
  const circle = circleIn(graph)
  if (circle) found.push(`circle: ${circle.join(' -> ')}`)
  return found
}

/** The first circle found, its first file repeated at the end. */
function circleIn(graph: Graph): string[] | undefined {
  const done = new Set<string>()
  const path: string[] = []
  const visit = (file: string): string[] | undefined => {
    const at = path.indexOf(file)
    if (at >= 0) return [...path.slice(at), file]
    if (done.has(file)) return undefined
    path.push(file)
    for (const target of graph.get(file) ?? []) {
      const circle = visit(target)
      if (circle) return circle
    }
    path.pop()
    done.add(file)
    return undefined
  }
  for (const file of graph.keys()) {
    const circle = visit(file)
    if (circle) return circle
  }
  return undefined
}

function realTree(): Tree {
  const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
  return new Map(files.map((file) => [file.replaceAll('\\', '/'), readFileSync(join(SOURCES, file), 'utf8')]))
}

describe('layers', () => {
  it('hold for the sources', () => {
    const tree = realTree()
    assert.ok(tree.size > 50, `only ${tree.size} sources found`)
    assert.deepEqual(violations(tree), [])
  })

  it('are seen in the sources at all: the barrel reaches the store', () => {
    const graph = graphOf(realTree())
    const reached = new Set<string>()
    const visit = (file: string): void => {
      if (reached.has(file)) return
      reached.add(file)
      for (const target of graph.get(file) ?? []) visit(target)
    }
    visit('index.ts')
    for (const layer of LAYERS.slice(0, 8))
      assert.ok(
        [...reached].some((file) => layerOf(file) === layer),
        layer,
      )
  })

  const broken: [name: string, tree: Record<string, string>, found: string][] = [
    [
      'an upward import',
      { 'base/a.ts': "import { b } from '../repo/b.js'", 'repo/b.ts': '' },
      'base/a.ts: imports up, repo/b.ts',
    ],
    [
      'an upward import over several lines',
      { 'base/a.ts': "import {\n  b,\n} from '../git/b.js'", 'git/b.ts': '' },
      'base/a.ts: imports up, git/b.ts',
    ],
    [
      'an upward import at run time',
      { 'repo/a.ts': "const b = await import('../cli/b.js')", 'cli/b.ts': '' },
      'repo/a.ts: imports up, cli/b.ts',
    ],
    [
      'an upward export',
      { 'git/a.ts': "export * from '../cli/b.js'", 'cli/b.ts': '' },
      'git/a.ts: imports up, cli/b.ts',
    ],
    [
      'a circle',
      { 'base/a.ts': "import { b } from './b.js'", 'base/b.ts': "import { a } from './a.js'" },
      'circle: base/a.ts -> base/b.ts -> base/a.ts',
    ],
    [
      'a circle of types only',
      { 'lseq/a.ts': "import type { B } from './b.js'", 'lseq/b.ts': "export type { A } from './a.js'" },
      'circle: lseq/a.ts -> lseq/b.ts -> lseq/a.ts',
    ],
    ['a folder that is not listed', { 'utils/a.ts': '' }, 'utils/a.ts: utils is no layer'],
    ['a file beside the barrel', { 'stray.ts': '' }, 'stray.ts: stray.ts is no layer'],
    [
      'a file that is not there',
      { 'base/a.ts': "import './b.js'" },
      'base/a.ts: imports base/b.ts, which is not there',
    ],
    [
      'a library that reads the environment',
      { 'repo/a.ts': "const home = process.env['HOME']" },
      'repo/a.ts: uses process.env',
    ],
    ['a library that prints', { 'git/a.ts': "console.log('done')" }, 'git/a.ts: uses console.'],
  ]
  for (const [name, tree, found] of broken) {
    it(`are broken by ${name}`, () => assert.deepEqual(violations(new Map(Object.entries(tree))), [found]))
  }

  it('allow what points down, and a word in a comment', () => {
    const tree = {
      'cli/a.ts': "import { b } from '../base/b.js'\nprocess.exitCode = 1",
      'base/b.ts': '/**\n * Unlike process.env.\n */',
    }
    assert.deepEqual(violations(new Map(Object.entries(tree))), [])
  })
})
