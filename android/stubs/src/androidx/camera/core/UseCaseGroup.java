package androidx.camera.core;

public final class UseCaseGroup {
    public static final class Builder {
        public native Builder setViewPort(ViewPort viewPort);

        public native Builder addUseCase(UseCase useCase);

        public native UseCaseGroup build();
    }
}
