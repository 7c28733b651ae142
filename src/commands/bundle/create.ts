import * as Flags from '@oclif/core/flags'
import { required } from '../../cli/arguments.js'
import { BaseCommand } from '../../cli/command.js'
import { formatBundleMade } from '../../cli/format-bundle.js'

/** `weft bundle create`: versions into a file. */
export default class BundleCreate extends BaseCommand {
  static override summary = 'Put versions into a file, for whoever cannot be reached'
  static override description =
    'Without --since the bundle holds everything that is published here, and can be cloned. With it, it holds what is newer, for anyone who has at least that: a version with its whole past, a version vector, an earlier bundle, or what a remote had when it was last spoken to. The name of a remote goes before that of a branch.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> everything.weft',
    '<%= config.bin %> <%= command.id %> news.weft --since v1.2',
    '<%= config.bin %> <%= command.id %> more.weft --since news.weft',
    '<%= config.bin %> <%= command.id %> /media/stick/news.weft --since origin --force',
  ]
  static override args = { file: required('File to make') }
  static override flags = {
    force: Flags.boolean({ char: 'f', summary: 'Write over a file that is there' }),
    since: Flags.string({ helpValue: '<V|bundle|remote>', summary: 'Bring only what is newer than this' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(BundleCreate)
    await using repo = await this.openRepository()
    const [{ bundleInfo }, { makeBundle }] = await Promise.all([
      import('../../sync/bundle-info.js'),
      import('../../sync/make-bundle.js'),
    ])
    const { since, force } = flags
    await makeBundle(repo, args.file, { since, force, home: this.home, ...this.progress })
    // What is told is what is in the file now.
    await this.answer(await bundleInfo(args.file), formatBundleMade)
  }
}
