import { Check, Copy } from 'lucide-react';
import { type ReactNode, useEffect, useState } from 'react';
import { showToast } from '../toasts.ts';
import { Button } from './button.tsx';

interface CopyButtonProps {
  readonly text: () => string;
  readonly children: ReactNode;
}

export function CopyButton({ text, children }: CopyButtonProps) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return undefined;
    const timer = setTimeout(() => setCopied(false), 1600);
    return () => clearTimeout(timer);
  }, [copied]);

  const copy = () => {
    writeClipboard(text()).then(
      () => setCopied(true),
      () => showToast('bad', 'Not copied', 'The browser did not let the page use the clipboard.'),
    );
  };
  return (
    <Button size="sm" icon={copied ? <Check size={14} /> : <Copy size={14} />} onClick={copy}>
      {copied ? 'Copied' : children}
    </Button>
  );
}

/** The clipboard exists only in secure contexts, which a plain address of another machine is not. */
function writeClipboard(text: string): Promise<void> {
  const clipboard = navigator.clipboard as Clipboard | undefined;
  return clipboard ? clipboard.writeText(text) : Promise.reject(new Error('no clipboard'));
}
