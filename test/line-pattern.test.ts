/**
 * What every match of a pattern must have in it, and the lines found by looking for that first.
 * @module
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { LinePattern, requiredText } from '../src/repo/line-pattern.js'
import { holds } from './support/property.js'

const required: [pattern: RegExp, text: string][] = [
  [/zmalloc_used_memory/, 'zmalloc_used_memory'],
  [/a\.b\[0\]\(c\)/, 'a.b[0](c)'],
  [/a\/b/, 'a/b'],
  [/foo\(\w+, bar/, ', bar'],
  [/mem(cpy|move)x/, 'mem'],
  [/(?:long name)|x/, ''],
  [/abc|abd/, ''],
  [/[|(]abc[)\]]de/, 'abc'],
  [/abcd*ef/, 'abc'],
  [/abcd?/, 'abc'],
  [/abcd+efg/, 'abcd'],
  [/ab{2}cde/, 'cde'],
  [/abc{0,3}?de/, 'ab'],
  [/struct foo {/, 'struct foo {'],
  [/^if$/, 'if'],
  [/\bword\b/, 'word'],
  [/a.b/, 'a'],
  [/é+è/u, 'é'],
  [/x(?=abc)y/, 'x'],
  [/x(a\)b[)]c)yz/, 'yz'],
  [/abc/i, ''],
  [/\x41bc/, ''],
  [/\u{1f600}bc/u, ''],
  [/(a)\1bc/, ''],
  [/\p{L}bc/u, ''],
  [/[^\]]abc/, 'abc'],
  [/(?:)/, ''],
  [/😀?a/, ''],
  [/\ufffd/, ''],
  [/abc\ufffd/, ''],
]

describe('the text that a pattern must have', () => {
  for (const [pattern, text] of required) {
    it(String(pattern), () => assert.equal(requiredText(pattern.source, pattern.flags), text))
  }

  it('is in every text that matches', () => {
    const char = fc.constantFrom(...'ab.*+?()[]{}|\\^$-,2:=!é😀\ufffd \ud83d')
    const source = fc.string({ unit: char, maxLength: 12 })
    const flags = fc.constantFrom('', 'u', 's', 'm', 'g', 'su', 'i', 'v')
    const text = fc.string({ unit: fc.constantFrom(...'ab(){}[]|2:=.é😀\ufffd\ud83d '), maxLength: 12 })
    let matched = 0
    holds(
      fc.property(source, flags, fc.array(text, { maxLength: 8 }), (from, flag, texts) => {
        const pattern = compiled(from, flag)
        if (pattern === undefined) return
        const must = requiredText(pattern.source, pattern.flags)
        for (const one of texts) {
          pattern.lastIndex = 0
          if (!pattern.test(one)) continue
          matched++
          assert.ok(one.includes(must), `${pattern} matches ${JSON.stringify(one)} without ${JSON.stringify(must)}`)
        }
      }),
      4000,
    )
    assert.ok(matched > 100, `${matched} matches are too few to say anything`)
  })
})

function compiled(source: string, flags: string): RegExp | undefined {
  try {
    return new RegExp(source, flags)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

describe('matching lines', () => {
  const lines = (pattern: RegExp, text: string): [number, string][] =>
    [...new LinePattern(pattern).matches(Buffer.from(text, 'latin1'))].map(({ index, text: line }) => [index, line])

  const cases: [name: string, pattern: RegExp, text: string, found: [number, string][]][] = [
    [
      'a line is told once',
      /ab/,
      'abab\nxab\nab',
      [
        [0, 'abab'],
        [1, 'xab'],
        [2, 'ab'],
      ],
    ],
    [
      'anchors are those of the line',
      /^b$/,
      'ab\nb\nbc\nb',
      [
        [1, 'b'],
        [3, 'b'],
      ],
    ],
    ['a carriage return is part of the line', /b$/, 'b\r\nb\n', [[1, 'b']]],
    ['an empty line is a line, and there is none behind the last newline', /^$/, 'a\n\n', [[1, '']]],
    ['no line in nothing', /^/, '', []],
    [
      'every line for what may be empty',
      /x*/,
      'a\nb',
      [
        [0, 'a'],
        [1, 'b'],
      ],
    ],
    ['no match over the end of a line', /a\sb/, 'a\nb\na b\n', [[2, 'a b']]],
    [
      'a global pattern starts anew in every line',
      /a/g,
      'a\na\na\n',
      [
        [0, 'a'],
        [1, 'a'],
        [2, 'a'],
      ],
    ],
    [
      'a sticky one, too',
      /a/y,
      'a\nba\na\n',
      [
        [0, 'a'],
        [1, 'ba'],
        [2, 'a'],
      ],
    ],
    ['UTF-8', /^.é$/u, '\xc3\xa9\xc3\xa9\n', [[0, 'éé']]],
    ['what is not UTF-8 is matched around', /caf.$/, 'caf\xe9\n', [[0, 'caf\ufffd']]],
    ['and by what stands for it', /\ufffd/, 'caf\xe9\ncafe\n', [[0, 'caf\ufffd']]],
    ['without regard to case', /AB/i, 'xaB\n', [[0, 'xaB']]],
  ]
  for (const [name, pattern, text, found] of cases) it(name, () => assert.deepEqual(lines(pattern, text), found))
})
