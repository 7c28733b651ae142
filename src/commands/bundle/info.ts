import { CodedError } from '../../base/error.js'
import { required } from '../../cli/arguments.js'
import { BaseCommand } from '../../cli/command.js'
import { formatBundleInfo } from '../../cli/format-bundle.js'
import { findRoot } from '../../repo/layout.js'
import type { Repository } from '../../repo/repository.js'

/** `weft bundle info`: what is in a bundle. */
export default class BundleInfo extends BaseCommand {
  static override summary = 'Say what a bundle brings, and what it needs'
  static override description =
    'In a repository, also whether that can take it. The file is compared with its checksum; signatures are checked when it is applied.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> news.weft',
    '<%= config.bin %> <%= command.id %> news.weft --json',
  ]
  static override args = { file: required('Bundle') }

  async run(): Promise<void> {
    const { args } = await this.parse(BundleInfo)
    await using repo = await this.nearRepository()
    const { bundleInfo } = await import('../../sync/bundle-info.js')
    await this.answer(await bundleInfo(args.file, repo), formatBundleInfo)
  }

  /** The repository that the working directory is in, if it is in one. */
  private async nearRepository(): Promise<Repository | undefined> {
    try {
      await findRoot(process.cwd())
    } catch (error) {
      if (error instanceof CodedError && error.code === 'REPO_NOT_FOUND') return undefined
      throw error
    }
    return this.openRepository()
  }
}
