/**
 * Rules of ignored files, against what git says of the same trees.
 * @module
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { WorkIndex } from '../src/worktree/index-file.js'
import { scanWorkTree } from '../src/worktree/scan.js'
import { filesBelow } from './support/disk.js'
import { type Random, random } from './support/random.js'
import { at, emptyWorkTree, indexOf } from './support/work-tree.js'

const ENV = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null', LC_ALL: 'C' }

function git(root: string, ...args: string[]): string {
  return execFileSync('git', ['-C', root, ...args], { env: ENV, encoding: 'latin1' })
}

/** Files that are neither tracked nor ignored, as git lists them. */
function othersOf(root: string): string[] {
  return git(root, 'ls-files', '-z', '--others', '--exclude-standard')
    .split('\0')
    .filter((path) => path !== '' && !path.startsWith('.weft'))
    .sort()
}

function ourOthers(root: string, index: WorkIndex): string[] {
  return scanWorkTree(root, index)
    .changes.filter(({ change }) => change === 'added')
    .map(({ path }) => path)
}

const EMPTY = WorkIndex.build(undefined, [])

/** A git repository that is a work tree of ours as well, with these files, and rules as `.gitignore` says. */
function tree(files: readonly string[], rules: Readonly<Record<string, string>>): string {
  const root = emptyWorkTree('ignore')
  git(root, 'init', '-q')
  for (const path of files) {
    mkdirSync(dirname(at(root, path).toString('latin1')), { recursive: true })
    writeFileSync(at(root, path), '')
  }
  for (const [path, text] of Object.entries(rules)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text, 'latin1')
  }
  return root
}

const PARTS = ['a', 'b', 'c', 'foo', 'foo.o', 'bar.txt', 'x y', '#h', '!n', 'caf\xe9', 'build']
const PATTERNS = [
  ...['a', 'b/', '/c', '*.o', '!*.o', 'foo', '!foo', 'a/b', '/a/*', '!/a/b', '**/foo', 'a/**', 'a/**/c', 'build/'],
  ...['!build/', '*', '!*/', '# no', '\\#h', '\\!n', 'x\\ y', 'foo.? ', '[a-c]', '[!a]', 'caf?', 'caf*', '**', 'b/*/c'],
  ...[
    '',
    '   ',
    '/',
    '//',
    'a//b',
    '[',
    'a\\',
    '[[:alpha:]]',
    '***',
    '*/b',
    'foo/**',
    '!foo/bar.txt',
    '?',
    '.gitignore',
    'FOO',
    'Build/',
  ],
]

function pick<T>(rnd: Random, list: readonly T[]): T {
  return list[rnd.below(list.length)] as T
}

function randomPath(rnd: Random, depth: number): string {
  return Array.from({ length: 1 + rnd.below(depth) }, () => pick(rnd, PARTS)).join('/')
}

describe('ignored files', () => {
  it('are those that git ignores, whatever the rules', () => {
    const rnd = random('ignore')
    const root = emptyWorkTree('ignore')
    git(root, 'init', '-q')
    for (let round = 0; round < 150; round++) {
      for (const name of filesBelow(root).keys()) {
        if (!/^\.(git|weft)\//.test(name)) rmSync(at(root, name), { force: true })
      }
      const rules: Record<string, string> = {}
      for (let i = 0; i < 25; i++) {
        const path = at(root, randomPath(rnd, 4))
        try {
          mkdirSync(path.subarray(0, path.lastIndexOf(0x2f)), { recursive: true })
          writeFileSync(path, '')
        } catch {
          // A file stands where a directory would have to be, or the other way round: one file less.
        }
      }
      for (let i = 0; i < 3; i++) {
        const dir = i === 0 ? '' : `${randomPath(rnd, 2)}/`
        const lines = Array.from({ length: 1 + rnd.below(5) }, () => pick(rnd, PATTERNS))
        rules[`${dir}.gitignore`] = lines.join(rnd.below(5) === 0 ? '\r\n' : '\n')
      }
      for (const [path, text] of Object.entries(rules)) {
        try {
          writeFileSync(at(root, path), text, 'latin1')
        } catch {
          // There is no such directory.
          delete rules[path]
        }
      }
      assert.deepEqual(ourOthers(root, EMPTY), othersOf(root), JSON.stringify(rules))
    }
  })

  it('are looked for in .weftignore where there is one, and in .weft/exclude', () => {
    const root = tree(['a', 'b', 'c', 'd/a', 'd/b', 'e/a'], {
      '.gitignore': 'a\n',
      '.weft/exclude': 'c\n',
      'd/.weftignore': 'b\n!a\n',
      'd/.gitignore': '*\n',
    })
    assert.deepEqual(ourOthers(root, EMPTY), ['.gitignore', 'b', 'd/.gitignore', 'd/.weftignore', 'd/a'])
    writeFileSync(join(root, '.weftignore'), '')
    assert.ok(ourOthers(root, EMPTY).includes('a'))
  })

  it('are never tracked ones, and a directory that is ignored is not looked into', () => {
    const root = tree(['build/kept', 'build/deep/kept', 'src'], {})
    const index = indexOf(root)
    writeFileSync(join(root, '.gitignore'), 'build/\nsrc\n')
    writeFileSync(join(root, 'build/new'), '')
    writeFileSync(join(root, 'build/deep/new'), '')
    mkdirSync(join(root, 'other/build/x'), { recursive: true })
    writeFileSync(join(root, 'other/build/x/y'), '')
    appendFileSync(join(root, 'src'), 'changed')
    appendFileSync(join(root, 'build/kept'), 'changed')
    const scan = scanWorkTree(root, index, { ignored: true })
    assert.deepEqual(
      scan.changes.map(({ path, change }) => `${change} ${path}`),
      ['added .gitignore', 'modified build/kept', 'modified src'],
    )
    assert.deepEqual(scan.ignored, ['build/deep/new', 'build/new', 'other/build/'])
  })
})
