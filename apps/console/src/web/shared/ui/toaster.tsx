import { CircleCheck, CircleX, Info, X } from 'lucide-react';
import { dismissToast, useToasts } from '../toasts.ts';
import { IconButton } from './button.tsx';

const icons = { ok: CircleCheck, bad: CircleX, info: Info } as const;

/** The place where toasts appear. The region is always there, so that screen readers hear what enters it. */
export function Toaster() {
  const toasts = useToasts();
  return (
    <div className="toaster" aria-live="polite">
      {toasts.map(toast => {
        const Icon = icons[toast.tone];
        return (
          <div key={toast.id} className={`toast toast-${toast.tone}`}>
            <Icon size={18} aria-hidden="true" />
            <div className="toast-text">
              <p>{toast.title}</p>
              {toast.detail !== undefined && <p className="muted">{toast.detail}</p>}
            </div>
            <IconButton label="Dismiss" onClick={() => dismissToast(toast.id)}>
              <X size={15} />
            </IconButton>
          </div>
        );
      })}
    </div>
  );
}
