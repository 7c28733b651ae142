#!/usr/bin/env node
/**
 * Starts weft: the version needs no more than this file, everything else is in the bundle that the build makes.
 * @module
 */
import { existsSync, readFileSync } from 'node:fs'
import module from 'node:module'

const args = process.argv.slice(2)
if (args.length === 1 && (args[0] === '--version' || args[0] === '-v')) {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  process.stdout.write(`weft ${version}\n`)
} else {
  const main = new URL('../dist/cli/main.js', import.meta.url)
  if (existsSync(main)) {
    module.enableCompileCache?.() // Node 22 and later: keeps compiled code between runs
    const { main: start } = await import(main.href)
    await start(args)
  } else {
    process.stderr.write('Error: weft is not built yet.\nHint: Run npm run build in the project first.\n')
    process.exitCode = 1
  }
}
