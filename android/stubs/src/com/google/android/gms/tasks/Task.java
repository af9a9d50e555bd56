package com.google.android.gms.tasks;

import java.util.concurrent.Executor;

public abstract class Task<T> {
    public abstract Task<T> addOnSuccessListener(Executor executor, OnSuccessListener<? super T> listener);

    public abstract Task<T> addOnFailureListener(Executor executor, OnFailureListener listener);

    public native Task<T> addOnCompleteListener(Executor executor, OnCompleteListener<T> listener);
}
