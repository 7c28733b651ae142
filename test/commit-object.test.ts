/**
 * git's commit objects, well-formed and not, taken apart and put together again byte for byte.
 * @module
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { fromLatin1, toHex, toLatin1 } from '../src/base/bytes.js'
import {
  type Commit,
  type CommitRest,
  decodeRest,
  encodeRest,
  formatCommit,
  type OddTree,
  parseCommit,
} from '../src/git/commit.js'
import type { Ident } from '../src/history/header.js'
import { zipInt } from '../src/rdx/zip.js'
import { anyBytes, holds } from './support/property.js'

const ID = new Uint8Array(20).fill(0xab)
const TREE = '4b825dc642cb6eb9a060e54bf8d69288fbee4904'
const ANA = 'Ana Ruiz <ana@example.org> 1677657600 +0100'

/** Parts of a rest that are there, as letters of their records. */
function kept(rest: CommitRest): string {
  return [rest.author && 'a', rest.committer && 'c', rest.headers && 'h', rest.whole && 'w'].filter(Boolean).join('')
}

/** Parses, sends the rest through its record, formats, and compares. */
function roundTrip(object: string): Commit {
  const commit = parseCommit(ID, fromLatin1(object))
  const { trees, ...rest } = decodeRest(commit.rest.id, encodeRest(commit.rest, []))
  assert.deepEqual(trees, [])
  assert.equal(toLatin1(formatCommit({ ...commit, rest })), object)
  // What a header holds has to fit into it.
  for (const { time, zone } of [commit.author, commit.committer]) assert.ok(zipInt(time) && zipInt(zone))
  return commit
}

describe('git commit: kept byte for byte', () => {
  const cases: [name: string, object: string, kept: string, message: string][] = [
    ['a plain one', `tree ${TREE}\nauthor ${ANA}\ncommitter ${ANA}\n\nHello\n`, '', 'Hello\n'],
    [
      'a merge of three',
      `tree ${TREE}\n${`parent ${TREE}\n`.repeat(3)}author ${ANA}\ncommitter ${ANA}\n\nMerge\n`,
      '',
      'Merge\n',
    ],
    ['one without a message', `tree ${TREE}\nauthor ${ANA}\ncommitter ${ANA}\n\n`, '', ''],
    ['one whose message is blank lines', `tree ${TREE}\nauthor ${ANA}\ncommitter ${ANA}\n\n\n\n`, '', '\n\n'],
    ['one without a final newline', `tree ${TREE}\nauthor ${ANA}\ncommitter ${ANA}\n\nHello`, '', 'Hello'],
    ['one with NULs in its message', `tree ${TREE}\nauthor ${ANA}\ncommitter ${ANA}\n\n\0\xff\0`, '', '\0\xff\0'],
    [
      'one with an encoding',
      `tree ${TREE}\nauthor ${ANA}\ncommitter ${ANA}\nencoding latin1\n\ncaf\xe9`,
      'h',
      'caf\xe9',
    ],
    [
      'a signed one',
      `tree ${TREE}\nauthor ${ANA}\ncommitter ${ANA}\ngpgsig -----BEGIN\n \n abc\n -----END\n\nHello\n`,
      'h',
      'Hello\n',
    ],
    [
      'one with headers that nobody knows',
      `tree ${TREE}\nauthor ${ANA}\ncommitter ${ANA}\nmergetag x\n y\nHG:extra z\n\nHello\n`,
      'h',
      'Hello\n',
    ],
    ['one that ends in its headers', `tree ${TREE}\nauthor ${ANA}\ncommitter ${ANA}\n`, 'w', ''],
    ['one that is cut off', `tree ${TREE}\nauthor ${ANA}\ncommitter ${ANA}`, 'w', ''],
    ['one without author and committer', `tree ${TREE}\n\nHello\n`, 'w', 'Hello\n'],
    ['one without a committer', `tree ${TREE}\nauthor ${ANA}\n\nHello\n`, 'w', 'Hello\n'],
    ['one with the committer first', `tree ${TREE}\ncommitter ${ANA}\nauthor ${ANA}\n\nHello\n`, 'w', 'Hello\n'],
    ['one with a parent behind the author', `tree ${TREE}\nauthor ${ANA}\nparent ${TREE}\n\nHello\n`, 'w', 'Hello\n'],
    ['one with a carriage return in a name', `tree ${TREE}\nauthor A\r <a> 1 +0000\ncommitter ${ANA}\n\n`, '', ''],
    ['one with a SHA-256 tree', `tree ${'0f'.repeat(32)}\nauthor ${ANA}\ncommitter ${ANA}\n\nHello\n`, '', 'Hello\n'],
    ['one with an empty author line', `tree ${TREE}\nauthor \ncommitter ${ANA}\n\nHello\n`, 'a', 'Hello\n'],
  ]
  for (const [name, object, parts, message] of cases) {
    it(name, () => {
      const commit = roundTrip(object)
      assert.equal(kept(commit.rest), parts)
      assert.equal(toLatin1(commit.message), message)
      assert.equal(commit.tree, object.slice('tree '.length, object.indexOf('\n')))
    })
  }

  it('refuses what has no tree', () => {
    for (const object of ['', 'hello', `author ${ANA}\n\n`, `tree \nauthor ${ANA}\n\n`, `\ntree ${TREE}\n`]) {
      assert.throws(() => parseCommit(ID, fromLatin1(object)), { name: 'CodedError', code: 'GIT_OBJECT_BAD' })
    }
  })

  it('whatever bytes are changed, taken away or put in', () => {
    const whole = `tree ${TREE}\nparent ${TREE}\nauthor ${ANA}\ncommitter ${ANA}\nencoding x\n\nHello\n\nyou\n`
    const splice = fc.tuple(
      fc.nat(whole.length),
      fc.nat(4),
      fc.constantFrom('', '\n', ' ', '<', '>', '\0', '-', '9', 'tree'),
    )
    holds(
      fc.property(fc.array(splice, { minLength: 1, maxLength: 4 }), (splices) => {
        let object = whole
        for (const [at, gone, put] of splices) object = object.slice(0, at) + put + object.slice(at + gone)
        if (/^tree [0-9a-f]+\n/.test(object)) roundTrip(object)
        else assert.throws(() => parseCommit(ID, fromLatin1(object)), { code: 'GIT_OBJECT_BAD' })
      }),
      1000,
    )
  })
})

describe('git commit: who and when', () => {
  const cases: [line: string, ident: [name: string, email: string, time: number, zone: number], raw: boolean][] = [
    ['Ana <a@x> 1677657600 +0100', ['Ana', 'a@x', 1677657600, 60], false],
    ['Ana <a@x> 0 -0330', ['Ana', 'a@x', 0, -210], false],
    ['Ana <a@x> -1 +0000', ['Ana', 'a@x', -1, 0], false],
    ['Ana <> 1 +0000', ['Ana', '', 1, 0], false],
    [' <> 1 +0000', ['', '', 1, 0], false],
    ['caf\xe9 <\xff> 1 +1400', ['caf\xe9', '\xff', 1, 840], false],
    ['A  B  <a@x> 1 +0000', ['A  B ', 'a@x', 1, 0], false],
    ['Ana <a@x> 999999999999999 +0000', ['Ana', 'a@x', 999999999999999, 0], false],
    // What the fields of a header cannot give back is kept as it is beside them.
    ['Ana <a@x> 1 -0000', ['Ana', 'a@x', 1, 0], true],
    ['Ana <a@x> 007 +0000', ['Ana', 'a@x', 7, 0], true],
    ['Ana <a@x> 1 +0075', ['Ana', 'a@x', 1, 75], true],
    ['Ana <a@x> 1 +9999', ['Ana', 'a@x', 1, 99 * 60 + 99], true],
    ['<a@x> 1 +0000', ['', 'a@x', 1, 0], true],
    ['Ana <a@x>', ['Ana', 'a@x', 0, 0], true],
    ['Ana <a@x> 1', ['Ana', 'a@x', 1, 0], true],
    ['Ana <a@x> soon +0000', ['Ana', 'a@x', 0, 0], true],
    ['Ana', ['Ana', '', 0, 0], true],
  ]
  const sayings = ({ name, email, time, zone }: Ident): unknown[] => [toLatin1(name), toLatin1(email), time, zone]
  for (const [line, ident, raw] of cases) {
    it(JSON.stringify(line), () => {
      const commit = roundTrip(`tree ${TREE}\nauthor ${ANA}\ncommitter ${line}\n\n`)
      assert.deepEqual(sayings(commit.committer), ident)
      assert.equal(commit.rest.committer === undefined, !raw)
    })
  }

  it('is read from any line whatever, in time that grows with its length', () => {
    const part = fc.constantFrom(
      ' ',
      '<',
      '>',
      '+',
      '-',
      '0',
      '12',
      '\t',
      'a',
      '\xff',
      '<a>',
      ' 1 +0000',
      '1'.repeat(20),
    )
    holds(
      fc.property(fc.array(part, { maxLength: 12 }), fc.array(part, { maxLength: 12 }), (author, committer) => {
        roundTrip(`tree ${TREE}\nauthor ${author.join('')}\ncommitter ${committer.join('')}\n\n`)
      }),
      1000,
    )
    const started = performance.now()
    for (const unit of ['a', ' ', '<', '>', '1', ' <', '<>', ' 1', '1 +0000 ', '\r']) {
      for (const end of ['', '<a@x> 1 +0000', ' 1 2'])
        roundTrip(`tree ${TREE}\nauthor ${unit.repeat(50_000)}${end}\n\n`)
    }
    assert.ok(performance.now() - started < 10_000, 'no pattern that backtracks without end')
  })
})

describe('git commit: the record of what a header has no field for', () => {
  const part = fc.option(anyBytes(300), { nil: undefined })
  const path = fc.string({ unit: fc.constantFrom('a', '/', '\n', '\xff', ' '), maxLength: 8 })
  const trees = fc.array(fc.record({ path, bytes: anyBytes(40) }), { maxLength: 3 })

  it('comes back with all its parts', () => {
    holds(
      fc.property(anyBytes(32), part, part, part, part, trees, (id, author, committer, headers, whole, odd) => {
        const rest = { id, author, committer, headers, whole }
        const decoded = decodeRest(id, encodeRest(rest, odd))
        assert.deepEqual(plain(decoded), plain({ ...rest, trees: odd }))
      }),
    )
  })

  it('is empty where there is nothing of the kind', () => {
    assert.equal(encodeRest({ id: ID }, []).length, 0)
    assert.deepEqual(
      plain(decodeRest(ID)),
      plain({ id: ID, author: undefined, committer: undefined, headers: undefined, whole: undefined, trees: [] }),
    )
  })

  it('has one form: bytes that decode are encoded the same', () => {
    const valid = fc
      .tuple(anyBytes(20), part, trees)
      .map(([id, author, odd]) => toLatin1(encodeRest({ id, author }, odd)))
    const change = fc.tuple(
      fc.nat(),
      fc.nat(2),
      fc.string({ unit: fc.constantFrom('i', 'a', 't', '\0', '\x02', '0'), maxLength: 2 }),
    )
    holds(
      fc.property(valid, change, (text, [at, gone, put]) => {
        const from = at % (text.length + 1)
        const bytes = fromLatin1(text.slice(0, from) + put + text.slice(from + gone))
        let decoded: ReturnType<typeof decodeRest>
        try {
          decoded = decodeRest(ID, bytes)
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'BAD_RECORD')
          return
        }
        assert.equal(toHex(encodeRest(decoded, decoded.trees)), toHex(bytes))
      }),
      1000,
    )
  })
})

/** The parts as binary strings, which compare whatever kind of bytes they were. */
function plain({ trees, ...rest }: CommitRest & { readonly trees: readonly OddTree[] }): unknown {
  const parts = Object.entries(rest).map(([name, bytes]) => [name, bytes && toLatin1(bytes)])
  return [Object.fromEntries(parts), trees.map(({ path, bytes }) => [path, toLatin1(bytes)])]
}
