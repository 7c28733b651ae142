/**
 * Paths that may not be written, and strange ones that may.
 * @module
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CodedError } from '../src/base/error.js'
import { assertSafePaths } from '../src/repo/safe-path.js'

/** A text's UTF-8 bytes as a binary string, as paths are. */
const utf8 = (text: string): string => Buffer.from(text).toString('latin1')

const refused: [name: string, path: string][] = [
  ['an empty path', ''],
  ['an absolute path', '/etc/passwd'],
  ['a way up', '../a'],
  ['a way up from below', 'a/../../b'],
  ['a way up at the end', 'a/..'],
  ['the directory itself', '.'],
  ['the directory itself, below', 'a/./b'],
  ['an empty part', 'a//b'],
  ['an empty part at the end', 'a/'],
  ['a NUL', 'a\0b'],
  ['git', '.git/config'],
  ['git, as a file', '.git'],
  ['git, below', 'sub/.git/hooks/post-checkout'],
  ['git in upper case', '.GIT/config'],
  ['git in mixed case', '.gIt'],
  ['git with a dot that Windows drops', '.git./config'],
  ['git with spaces and dots that Windows drops', '.git . ./config'],
  ['git as a stream of NTFS', '.git::$INDEX_ALLOCATION/config'],
  ['git by its short name', 'git~1/config'],
  ['git by its short name in upper case', 'GIT~1'],
  ['git with what HFS+ does not see', utf8('.g\u200cit/config')],
  ['git with a byte order mark', utf8('\ufeff.git/config')],
  ['git with two of them', utf8('.gi\u202et\u206f')],
  ['weft', '.weft/store/CURRENT'],
  ['weft in upper case', '.WEFT'],
  ['weft by its short name', 'weft~1/head'],
  ['weft with what HFS+ does not see', utf8('.we\u200dft')],
]

const fine = [
  'a',
  'a/b/c',
  '...',
  '..a',
  'a..',
  '.gitignore',
  '.gitmodules',
  '.github/workflows',
  'git',
  'a.git',
  '.git2',
  'git~2',
  '.weftignore',
  'weft',
  'back\\slash',
  '..\\evil.txt',
  'con',
  'a:b',
  'new\nline',
  ' ',
  '-rf',
  '\xff\xfe',
  utf8('zero\u200bwidth'),
  utf8('right \u202eto left'),
]

const refusedByWindows = [
  'a\\b',
  'c:',
  'a:stream',
  'CON',
  'con.txt',
  'aux .c',
  'lpt1',
  'COM0.log',
  'nul',
  'a.',
  'a ',
  'a*',
  'a\x01b',
  'd/prn/x',
]
const fineOnWindows = ['con1', 'console', 'lpt', 'common.c', 'nul1', 'a.b', '.a', 'a b', 'auxiliary.c']

function refuses(paths: readonly string[], platform?: NodeJS.Platform): void {
  assert.throws(
    () => assertSafePaths(paths, platform),
    (error) => error instanceof CodedError && error.code === 'PATH_UNSAFE' && error.blame === 'data',
  )
}

describe('paths that are refused', () => {
  for (const [name, path] of refused) it(name, () => refuses(['fine', path, 'b'], 'linux'))
  for (const path of refusedByWindows) {
    it(`on Windows: ${JSON.stringify(path)}`, () => {
      refuses([path], 'win32')
      assertSafePaths([path], 'linux')
    })
  }

  it('those below another one of the same state', () => {
    refuses(['a', 'a/b'], 'linux')
    refuses(['a/b/c/d', 'x', 'a/b'], 'linux')
    assertSafePaths(['a', 'a0', 'a.b', 'ab/c', 'b/a'], 'linux')
  })

  it('by name, in words that can be read', () => {
    assert.throws(
      () => assertSafePaths(['caf\xe9/../x'], 'linux'),
      /The path "caf\\351\/\.\.\/x" is not safe to write: it has \.\. in it/,
    )
  })
})

describe('paths that are fine', () => {
  for (const path of fine) it(JSON.stringify(path), () => assertSafePaths([path], 'linux'))
  for (const path of fineOnWindows) it(`on Windows: ${path}`, () => assertSafePaths([path], 'win32'))
})
