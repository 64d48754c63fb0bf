import { CircleAlert } from 'lucide-react';
import { explain } from '../api-error.ts';

/** Why a form was refused, above its buttons. */
export function FormError({ error }: { readonly error: unknown }) {
  const { message, hint } = explain(error);
  return (
    <div className="form-error" role="alert">
      <CircleAlert size={16} aria-hidden="true" />
      <div>
        <p>{message}</p>
        {hint !== undefined && <p>{hint}</p>}
      </div>
    </div>
  );
}
