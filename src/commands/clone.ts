import { basename, resolve } from 'node:path'
import * as Flags from '@oclif/core/flags'
import { optional, required } from '../cli/arguments.js'
import { BaseCommand } from '../cli/command.js'
import { formatClone } from '../cli/format-clone.js'
import { openRemote, tokenFlag } from '../cli/sync-command.js'

/** `weft clone`: a replica of a repository. */
export default class Clone extends BaseCommand {
  static override summary = 'Make a replica of a repository'
  static override description =
    'Everything that is published there comes: all branches, tags and snapshots, with all of their history. All of it is verified before it becomes a repository. Interrupted, the same command goes on where it stopped.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> https://weft.example.org/project',
    '<%= config.bin %> <%= command.id %> ssh://ana@host/~/project work',
    '<%= config.bin %> <%= command.id %> ../project copy --branch topic',
  ]
  static override args = {
    url: required('Directory, bundle file, or ssh://, http:// or https:// address'),
    dir: optional('Where to; by default the last part of the address'),
  }
  static override flags = {
    branch: Flags.string({
      char: 'b',
      helpValue: '<name>',
      summary: 'Write the files of this branch, not of the one that is current there',
    }),
    'no-checkout': Flags.boolean({ summary: 'Write no files beside the repository' }),
    token: tokenFlag,
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Clone)
    const from = process.cwd()
    const root = resolve(args.dir ?? nameIn(args.url))
    const { cloneInto } = await import('../cli/clone-into.js')
    await using peer = await openRemote(args.url, { from, home: this.home, token: flags.token })
    const report = await cloneInto(peer, root, {
      home: this.home,
      branch: flags.branch,
      bare: flags['no-checkout'],
      token: flags.token,
      ...this.progress,
    })
    await this.answer(report, (value, style) => formatClone(value, args.dir ?? nameIn(args.url), style))
  }
}

/** The last part of an address, without what a bundle's name ends in. */
function nameIn(url: string): string {
  const path = url.replace(/[?#].*$/, '').replace(/[/\\]+$/, '')
  return basename(path).replace(/\.weft$/, '') || 'clone'
}
