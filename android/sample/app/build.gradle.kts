import groovy.json.JsonSlurper
import javax.inject.Inject

plugins {
    alias(libs.plugins.android.application)
    alias(libs.plugins.kotlin.android)
}

val checkout = rootDir.resolve("../..") // of the whole kit
val faceDetector = if (providers.gradleProperty("mlkit").isPresent) "mlkit" else "ferkit"

android {
    namespace = "io.github.ferkit.sample"
    compileSdk = 36

    defaultConfig {
        applicationId = "io.github.ferkit.sample"
        minSdk = 24 // LiteRT 2.3
        targetSdk = 36
        versionCode = 1
        versionName = "1"
        ndk { abiFilters += listOf("arm64-v8a", "armeabi-v7a", "x86_64") }
    }

    buildTypes {
        release {
            isMinifyEnabled = true
            proguardFiles(
                getDefaultProguardFile("proguard-android-optimize.txt"),
                checkout.resolve("android/adapter/src/main/proguard.txt"),
            )
        }
    }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_11
        targetCompatibility = JavaVersion.VERSION_11
    }

    // Uncompressed native libraries, which the plugin aligns to the 16 KB pages of new phones.
    packaging { jniLibs { useLegacyPackaging = false } }

    // The library's own sources. An app elsewhere takes the AAR: implementation(files("libs/ferkit.aar")).
    sourceSets["main"].java.srcDirs(
        checkout.resolve("android/core/src/main/java"),
        checkout.resolve("android/adapter/src/main/java"),
    )
    sourceSets["main"].kotlin.srcDir("src/$faceDetector/kotlin")
}

kotlin {
    compilerOptions {
        jvmTarget = org.jetbrains.kotlin.gradle.dsl.JvmTarget.JVM_11
    }
}

/** Brings the released default model, the detector and their cards into the app's assets. */
abstract class CopyModel @Inject constructor(private val files: FileSystemOperations) : DefaultTask() {
    @get:InputFiles
    abstract val model: ConfigurableFileCollection

    @get:InputFiles
    abstract val detector: ConfigurableFileCollection

    @get:OutputDirectory
    abstract val assets: DirectoryProperty

    @TaskAction
    fun copy() {
        files.sync {
            from(model)
            from(detector) { into("detectors") }
            into(assets.dir("ferkit"))
        }
    }
}

val copyModel = tasks.register<CopyModel>("copyModel") {
    val runtime = checkout.resolve("runtime")
    val golden = JsonSlurper().parse(runtime.resolve("golden.json")) as Map<*, *>
    val name = golden["default_model"]
    model.from(runtime.resolve("models/${name}_int8.tflite"), runtime.resolve("models/${name}_int8.tflite.json"))
    val file = "models/detectors/detector_int8.tflite"
    detector.from(runtime.resolve(file), runtime.resolve("$file.json"))
}

androidComponents {
    onVariants { it.sources.assets?.addGeneratedSourceDirectory(copyModel, CopyModel::assets) }
}

dependencies {
    implementation(libs.androidx.activity)
    implementation(libs.androidx.core)
    implementation(libs.camera.camera2)
    implementation(libs.camera.core)
    implementation(libs.camera.lifecycle)
    implementation(libs.camera.view)
    implementation(libs.litert)
    if (faceDetector == "mlkit") implementation(libs.mlkit.face)
}
